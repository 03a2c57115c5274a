/** @module Asks the hub what it thinks of the model card, before anything is sent: it would refuse the commit at the end for the same. */
import { z } from 'zod';
import { ByteifyError } from '../../errors.js';
import { type HubClient, unreachableHub } from './refusals.js';

const answerSchema = z.object({
  errors: z.array(z.object({ message: z.string() })).default([]),
  warnings: z.array(z.object({ message: z.string() })).default([]),
});

/**
 * @param card the text of README.md
 * @returns the hub's warnings; none from a server that does not know the question
 * @throws ByteifyError with what the hub will not take
 */
export async function validateCard(client: HubClient, card: string): Promise<readonly string[]> {
  let json: unknown = null;
  try {
    const response = await client.fetch(`${client.endpoint}/api/validate-yaml`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ repoType: 'model', content: card }),
      ...(client.signal && { signal: client.signal }),
    });
    json = await response.json().catch(() => null);
  } catch (error) {
    throw unreachableHub(client, error);
  }
  const { success, data } = answerSchema.safeParse(json);
  if (!success) return [];
  if (data.errors.length > 0) {
    throw new ByteifyError(`The hub does not take README.md: ${data.errors.map(({ message }) => message).join('; ')}`, {
      hint: 'Mend its front matter; nothing was sent.',
    });
  }
  return data.warnings.map(({ message }) => message);
}
