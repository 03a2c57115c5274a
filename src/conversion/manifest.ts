/** @module `byteify.json`: what a conversion folder was made from, how far the conversion got, and what it produced. */

import { join } from 'node:path';
import { z } from 'zod';
import { readJsonIfThere, writeFileAtomic } from '../fs/index.js';
import { STAGE_NAMES } from './stages.js';

export const MANIFEST_NAME = 'byteify.json';

const fileSchema = z.strictObject({
  path: z.string(),
  size_bytes: z.number(),
  sha256: z.string(),
  /** Modification time before the file was read. Together with the size, it reveals a change without reading the file again. */
  modified: z.iso.datetime().optional(),
});

const stageSchema = z.strictObject({
  /** `started` means that the process stopped during the stage; running the stage again resumes it. */
  state: z.enum(['started', 'done']),
  /** Digests by name: `recipe`, `model`, `data`, ... The message about a changed input quotes these names. */
  inputs: z.record(z.string(), z.string()),
  started: z.iso.datetime(),
  finished: z.iso.datetime().nullable(),
  /** Working time in seconds, summed over all sessions. */
  seconds: z.number(),
  /** Files that the stage read, from the source and the training data. */
  files: z.array(fileSchema),
  /** Measured results. Their names include the unit: `validation_bits_per_byte`. The model card prints them. */
  metrics: z.record(z.string(), z.number()),
});

const evaluationSchema = z.strictObject({
  finished: z.iso.datetime(),
  /** SHA-256 of the checkpoint that was evaluated, and of its source; null for none. */
  model: z.string(),
  source: z.string().nullable(),
  items: z.number(),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  byteify: z.string(),
  /** As the user gave it: a hub id, a folder or a GGUF file. */
  model: z.string().nullable(),
  /** The commit of a hub model. */
  revision: z.string().nullable(),
  /** The source's licence, by its identifier on the hub. */
  license: z.string().nullable(),
  /** The types of the source's quantised weights (`Q4_1`), the most frequent first. Earlier versions did not record them. */
  quantised_types: z.array(z.string()).readonly().optional(),
  /** The BLT that `byteify adapt` began with: its folder as the user gave it, and the SHA-256 over the names and digests of its files. */
  adapted_from: z.strictObject({ model: z.string(), sha256: z.string() }).optional(),
  recipe: z.strictObject({ name: z.string(), sha256: z.string() }).nullable(),
  /** The --budget for which the recipe's steps were chosen. */
  budget: z
    .strictObject({
      /** As the user gave it: `1h`, `500T`. */
      asked: z.string(),
      /** A digest of the recipe's training as it was before its steps were chosen. */
      recipe: z.string(),
    })
    .optional(),
  stages: z.partialRecord(z.enum(STAGE_NAMES), stageSchema),
  /** What `byteify evaluate` found last, by suite; the results are in `evaluation/SUITE.json`. */
  evaluations: z.record(z.string(), evaluationSchema).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type StageRecord = z.infer<typeof stageSchema>;
export type InputFile = z.infer<typeof fileSchema>;

/** The manifest of a conversion in which no stage has run. */
export function emptyManifest(version: string): Manifest {
  return { format: 1, byteify: version, model: null, revision: null, license: null, recipe: null, stages: {} };
}

/**
 * Reads the manifest of a folder. Returns null when the folder has none.
 * @throws ByteifyError when the file exists but is not a valid manifest
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  return readJsonIfThere(join(folder, MANIFEST_NAME), {
    schema: manifestSchema,
    what: 'a manifest of this version',
    hint: 'Restore the file, or start over in another --out folder.',
  });
}

/** Replaces a folder's manifest atomically. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Bytes per patch as measured last: after training, else when the patcher was calibrated. Undefined before that. */
export const measuredBytesPerPatch = ({ stages }: Pick<Manifest, 'stages'>): number | undefined =>
  stages.finetune?.metrics.validation_bytes_per_patch ?? stages.patcher?.metrics.bytes_per_patch;

/** Where `byteify evaluate` writes answers and results. */
export const evaluationFolder = (dir: string): string => join(dir, 'evaluation');
