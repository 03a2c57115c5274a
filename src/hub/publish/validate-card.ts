/** @module Asks the hub what it thinks of the model card, before anything is sent: it would refuse the commit at the end for the same. */
import { z } from 'zod';
import { ByteifyError } from '../../errors.js';
import { brokenLine, type Line } from './refusals.js';

const answerSchema = z.object({
  errors: z.array(z.object({ message: z.string() })).default([]),
  warnings: z.array(z.object({ message: z.string() })).default([]),
});

/**
 * @param card the text of README.md
 * @returns the hub's warnings; none from a server that does not know the question
 * @throws ByteifyError with what the hub will not take
 */
export async function validateCard(line: Line, card: string): Promise<readonly string[]> {
  let json: unknown = null;
  try {
    const response = await line.fetch(`${line.endpoint}/api/validate-yaml`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ repoType: 'model', content: card }),
      ...(line.signal && { signal: line.signal }),
    });
    json = await response.json().catch(() => null);
  } catch (error) {
    throw brokenLine(line, error);
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
