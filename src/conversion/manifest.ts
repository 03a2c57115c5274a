/** @module `byteify.json`: what a conversion folder was made from, how far it is, and what came out. */

import { join } from 'node:path';
import { z } from 'zod';
import { readJsonIfThere, writeFileAtomic } from '../fs/index.js';
import { STAGE_NAMES } from './stages.js';

export const MANIFEST_NAME = 'byteify.json';

const fileSchema = z.strictObject({
  path: z.string(),
  size_bytes: z.number(),
  sha256: z.string(),
  /** When the file was last written before it was read: with its size, what tells a change without reading it. */
  modified: z.iso.datetime().optional(),
});

const stageSchema = z.strictObject({
  /** `started` and not finished: the process stopped inside; running it again goes on. */
  state: z.enum(['started', 'done']),
  /** A digest by name: `recipe`, `model`, `data`, ... The names are what a refusal speaks of. */
  inputs: z.record(z.string(), z.string()),
  started: z.iso.datetime(),
  finished: z.iso.datetime().nullable(),
  /** Time worked, all sittings together. */
  seconds: z.number(),
  /** Files that the stage read: the source's, the training data's. */
  files: z.array(fileSchema),
  /** Measured results; names carry their unit: `validation_bits_per_byte`. The model card prints them. */
  metrics: z.record(z.string(), z.number()),
});

const manifestSchema = z.strictObject({
  format: z.literal(1),
  byteify: z.string(),
  /** As it was asked for: hub id, folder or GGUF file. */
  model: z.string().nullable(),
  /** The commit of a hub model. */
  revision: z.string().nullable(),
  /** The source's licence by its hub name. */
  license: z.string().nullable(),
  recipe: z.strictObject({ name: z.string(), sha256: z.string() }).nullable(),
  stages: z.partialRecord(z.enum(STAGE_NAMES), stageSchema),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type StageRecord = z.infer<typeof stageSchema>;
export type InputFile = z.infer<typeof fileSchema>;

/** The manifest of a conversion in which nothing has happened. */
export function emptyManifest(version: string): Manifest {
  return { format: 1, byteify: version, model: null, revision: null, license: null, recipe: null, stages: {} };
}

/**
 * The manifest of a folder, or null when it has none.
 * @throws ByteifyError when the file is there and is not a manifest
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  return readJsonIfThere(join(folder, MANIFEST_NAME), {
    schema: manifestSchema,
    what: 'a manifest of this version',
    hint: 'Restore the file, or start over in another --out folder.',
  });
}

/** Replaces a folder's manifest in one step. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFileAtomic(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, null, 2)}\n`);
}
