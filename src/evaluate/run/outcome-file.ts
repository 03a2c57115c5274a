/** @module A model's answers on disk, one JSON line per item in the order of the items, so that an interrupted evaluation continues. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ByteifyError } from '../../errors.js';
import { isThere, jsonOrNull, makeFolder } from '../../fs/index.js';
import type { Outcome } from '../suites/item.js';
import { numberedLines } from '../suites/numbered-lines.js';

/** An answer; null if the model's tokens cannot spell the item's text. */
export interface RecordedOutcome {
  readonly id: string;
  readonly outcome: Outcome | null;
}

const schema = z.union([
  z.strictObject({ id: z.string(), unspelled: z.literal(true) }),
  z.strictObject({
    id: z.string(),
    nats: z.array(z.number()),
    steps: z.number(),
    /** Base64; null if the model was not asked to write. */
    written: z.string().nullable(),
  }),
]);

function lineOf({ id, outcome }: RecordedOutcome): string {
  if (outcome === null) return `${JSON.stringify({ id, unspelled: true })}\n`;
  const { nats, steps, written } = outcome;
  const text = written === null ? null : Buffer.from(written).toString('base64');
  return `${JSON.stringify({ id, nats, steps, written: text })}\n`;
}

/** The answers in a file, in order; none if there is no file. @throws ByteifyError for a line that is no answer */
export async function* readOutcomes(path: string): AsyncGenerator<RecordedOutcome> {
  if (!(await isThere(path))) return;
  for await (const { number, line } of numberedLines(path)) {
    const parsed = schema.safeParse(jsonOrNull(line));
    if (!parsed.success)
      throw new ByteifyError(`Line ${number} of ${path} is not an answer of a model.`, {
        hint: 'Delete the file; the evaluation then starts over.',
      });
    const found = parsed.data;
    if ('unspelled' in found) yield { id: found.id, outcome: null };
    else {
      const written = found.written === null ? null : new Uint8Array(Buffer.from(found.written, 'base64'));
      yield { id: found.id, outcome: { nats: found.nats, steps: found.steps, written } };
    }
  }
}

/** The length of a file up to the end of its last complete line. */
async function completeLength(path: string): Promise<number> {
  let [length, complete] = [0, 0];
  for await (const part of createReadStream(path) as AsyncIterable<Buffer>) {
    const end = part.lastIndexOf('\n');
    if (end >= 0) complete = length + end + 1;
    length += part.length;
  }
  return complete;
}

/** Removes an incomplete last line, which a killed process has left. */
export async function mendOutcomeFile(path: string): Promise<void> {
  if (await isThere(path)) await truncate(path, await completeLength(path));
}

/** Opens a file of answers to append to it. There is no new file before the first answer. */
export async function openOutcomeFile(path: string) {
  await mendOutcomeFile(path);
  let file: FileHandle | null = null;
  return {
    async append(recorded: RecordedOutcome): Promise<void> {
      if (file === null) {
        await makeFolder(dirname(path));
        file = await open(path, 'a');
      }
      await file.appendFile(lineOf(recorded));
    },
    close: async () => await file?.close(),
  };
}
