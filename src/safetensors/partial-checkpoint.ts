/**
 * @module A checkpoint that contains only the tensors that were trained and names the folders that contain the others. The checkpoints of a
 * run's stages thus share the tensors that no stage trains. `overlay.json` beside the weights maps each remaining tensor to its folder.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { readFully } from '../fs/index.js';
import { openFile } from './read-file.js';
import { parseStrictObject, type Refuse } from './strict-json.js';
import type { TensorInfo, TensorReader } from './types.js';
import { writeAtomic } from './write-atomic.js';
import { type TensorSource, writeSafetensorsFile } from './write-file.js';

export const OVERLAY_FILE = 'overlay.json';

/** Not model.safetensors, so that no reader that ignores overlays mistakes part of a model for the whole. */
export const TRAINED_FILE = 'trained.safetensors';

/** The same limit as for a header (src/safetensors/header.ts). */
const MAX_OVERLAY_BYTES = 100_000_000;

const overlaySchema = z.strictObject({
  format: z.literal(1),
  /** Tensor names by the folder that contains them. Paths are relative to this folder, with forward slashes. */
  tensors_in: z.record(
    z.string().refine((folder) => folder !== '' && !isAbsolute(folder), 'must be a relative path'),
    z.array(z.string()).min(1),
  ),
});

/** Tensor names by the path of the folder that contains them. */
export type Overlay = ReadonlyMap<string, readonly string[]>;

/** Whether a folder contains a partial checkpoint, whose remaining tensors are in other folders. */
export function isPartial(folder: string): boolean {
  return existsSync(join(folder, OVERLAY_FILE));
}

/**
 * Reads in which folders the remaining tensors of a partial checkpoint are.
 * @throws ByteifyError when the file cannot be read or is invalid
 */
export async function readOverlay(folder: string): Promise<Overlay> {
  const path = join(folder, OVERLAY_FILE);
  const hint = `Remove ${folder}: a run then resumes from the checkpoint before it.`;
  const refuse: Refuse = (what) => {
    throw new ByteifyError(`${path} does not say where the other tensors are: ${what}.`, { hint });
  };
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_OVERLAY_BYTES) return refuse(`it is ${size} bytes long`);
    const bytes = new Uint8Array(size);
    await readFully(file, bytes, 0, path);
    const { success, data, error } = overlaySchema.safeParse(parseStrictObject(bytes, 'it', refuse));
    if (!success) return refuse(`${error.issues[0]!.path.join('.')} ${error.issues[0]!.message}`);
    return new Map(Object.entries(data.tensors_in).map(([below, names]) => [join(folder, below), names]));
  } finally {
    await file.close();
  }
}

/** @throws ByteifyError when a folder of the overlay no longer exists, or lacks a tensor that should be read from it */
export function checkBelow(folder: string, below: string, names: readonly string[], reader: TensorReader | null): void {
  const hint = 'Restore it from a copy, or restart the training with --restart-from finetune.';
  if (reader === null) {
    throw new ByteifyError(`${folder} reads tensors from ${below}, which no longer exists.`, { hint });
  }
  const lost = names.find((name) => !reader.tensors.has(name));
  if (lost !== undefined) {
    throw new ByteifyError(`${folder} reads ${JSON.stringify(lost)} from ${below}, which lacks it.`, { hint });
  }
}

/** Whether `path` is `folder` or is inside it. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/**
 * Finds the untrained tensors that need not be written because a folder that lives as long as the checkpoint already contains them.
 * @param params.root files in this folder are kept; tensors stored elsewhere must be written
 */
export function overlayOf(params: { untrained: readonly string[]; start: TensorReader; root: string }): Overlay {
  const { untrained, start, root } = params;
  const found = new Map<string, string[]>();
  for (const name of untrained) {
    const folder = start.folderOf?.(name) ?? null;
    if (folder === null || !isWithin(folder, root)) continue;
    found.set(folder, [...(found.get(folder) ?? []), name]);
  }
  return found;
}

/**
 * Writes the tensors that are not stored elsewhere, and an overlay file that says where the rest is.
 * @param params.folder where to write the files
 * @param params.path the folder's final path; the overlay's paths are relative to it
 * @param params.tensors the tensors to write
 * @throws ByteifyError as writeSafetensorsFile does
 */
export async function writePartialCheckpoint(params: {
  folder: string;
  path: string;
  tensors: readonly TensorInfo[];
  source: TensorSource;
  rest: Overlay;
}): Promise<void> {
  const { folder, path, tensors, source, rest } = params;
  await writeSafetensorsFile(join(folder, TRAINED_FILE), tensors, source);
  const relativeTo = (below: string) => relative(resolve(path), resolve(below)).split(sep).join('/');
  const json: z.input<typeof overlaySchema> = {
    format: 1,
    tensors_in: Object.fromEntries([...rest].map(([below, names]) => [relativeTo(below), [...names]])),
  };
  const text = `${JSON.stringify(json, null, 2)}\n`;
  await writeAtomic(join(folder, OVERLAY_FILE), (write) => write(new TextEncoder().encode(text)));
}
