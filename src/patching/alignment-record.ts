/** @module `aligned.json`, beside the weights of an aligned patcher: how the patcher was trained to cut. */
import { join } from 'node:path';
import { z } from 'zod';

import { readJsonIfThere, writeFileAtomic } from '../fs/index.js';
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

/** How a folder's patcher was aligned with the source's tokens; null if it was not. @throws ByteifyError if the file is damaged. */
export async function readAlignment(folder: string): Promise<AlignmentRecord | null> {
  const json = await readJsonIfThere(join(folder, NAME), {
    schema,
    what: 'what an aligned patcher leaves there',
    hint: 'Train the patcher again: --restart-from patcher.',
  });
  if (json === null) return null;
  return {
    labels: json.labels,
    endConfidence: json.end_confidence,
    tokenizerDigest: json.tokenizer_digest,
    trainingThreshold: json.training_threshold_nats,
  };
}
