/** @module What an aligned patcher's folder says of how it was taught: `aligned.json` beside its weights. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { writeFileAtomic } from '../fs/index.js';
import type { Alignment } from './alignment.js';

const NAME = 'aligned.json';

const schema = z.strictObject({
  labels: z.enum(['hybrid', 'end', 'start']),
  end_confidence: z.number(),
  /** sha256 of the source's tokenizer.json. */
  tokenizer_digest: z.string(),
  training_threshold_nats: z.number(),
});

export interface AlignmentRecord extends Alignment {
  readonly tokenizerDigest: string;
  readonly trainingThreshold: number;
}

export async function writeAlignment(folder: string, record: AlignmentRecord): Promise<void> {
  const json: z.input<typeof schema> = {
    labels: record.labels,
    end_confidence: record.endConfidence,
    tokenizer_digest: record.tokenizerDigest,
    training_threshold_nats: record.trainingThreshold,
  };
  await writeFileAtomic(join(folder, NAME), `${JSON.stringify(json, null, 2)}\n`);
}

/** How the patcher of a folder was taught to cut; null when it knows no tokens. @throws ByteifyError when the file cannot be used. */
export async function readAlignment(folder: string): Promise<AlignmentRecord | null> {
  const path = join(folder, NAME);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw new ByteifyError(`${path} cannot be read: ${cause.message}.`, { hint: 'Check its permissions.', cause });
  });
  if (text === null) return null;
  try {
    const json = schema.parse(JSON.parse(text));
    return {
      labels: json.labels,
      endConfidence: json.end_confidence,
      tokenizerDigest: json.tokenizer_digest,
      trainingThreshold: json.training_threshold_nats,
    };
  } catch (cause) {
    throw new ByteifyError(`${path} is not what an aligned patcher leaves there.`, {
      hint: 'Train the patcher again: --restart-from patcher.',
      cause,
    });
  }
}
