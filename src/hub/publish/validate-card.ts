/** @module Lets the hub validate the model card before anything is sent, since it would refuse the commit at the end for the same faults. */
import { z } from 'zod';
import { ByteifyError } from '../../errors.js';
import { type HubClient, unreachableHub } from './refusals.js';

const answerSchema = z.object({
  errors: z.array(z.object({ message: z.string() })).default([]),
  warnings: z.array(z.object({ message: z.string() })).default([]),
});

/**
 * @param card the text of README.md.
 * @returns the hub's warnings; empty if the server cannot validate cards.
 * @throws ByteifyError with the hub's errors.
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
    throw new ByteifyError(`The hub rejects README.md: ${data.errors.map(({ message }) => message).join('; ')}`, {
      hint: 'Correct its front matter. Nothing was sent.',
    });
  }
  return data.warnings.map(({ message }) => message);
}
