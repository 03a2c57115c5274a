/** @module Which patcher a folder has, as a digest: what a prepared folder's entropies and patch lengths depend on. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { patcherTensors, readBltConfig } from '../blt/index.js';
import { MANIFEST_NAME, outputFolder, resolveCheckpoint } from '../conversion/index.js';
import type { PatcherIdentity, PreparePlan } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { digestOfFile } from '../fs/index.js';
import { openCheckpoint, tensorChunks } from '../safetensors/index.js';

export interface FoundPatcher {
  /** The checkpoint folder that contains the patcher. */
  readonly folder: string;
  readonly patcher: PatcherIdentity;
  /** sha256 of the source's tokenizer; null outside a conversion folder. */
  readonly tokenizer: string | null;
}

/** What patches depend on. */
type PatcherOf = Pick<PreparePlan, 'patcher' | 'tokenizer'>;

/** The first thing in which two patchers differ, and its two values; null if their patches are the same. */
export function differingPatcher(
  before: PatcherOf,
  now: PatcherOf,
): readonly [what: string, then: unknown, now: unknown] | null {
  const rows: readonly (readonly [string, unknown, unknown])[] = [
    ['patcher', before.patcher?.sha256, now.patcher?.sha256],
    ['threshold', before.patcher?.threshold_nats, now.patcher?.threshold_nats],
    ['longest patch', before.patcher?.max_patch_bytes, now.patcher?.max_patch_bytes],
    ['tokenizer', before.tokenizer, now.tokenizer],
  ];
  return rows.find(([, then, today]) => then !== today) ?? null;
}

/** The digest of the patcher's tensors in a checkpoint. @throws ByteifyError if one is missing */
async function tensorsDigest(folder: string, names: readonly string[], signal?: AbortSignal): Promise<string> {
  const reader = await openCheckpoint(folder);
  const hash = createHash('sha256');
  try {
    for (const name of [...names].sort()) {
      const tensor = reader.tensors.get(name);
      if (tensor === undefined)
        throw new ByteifyError(`${folder} has no tensor ${name}, so it has no whole patcher.`, {
          hint: 'Give a conversion whose patcher is trained, or a BLT checkpoint.',
        });
      hash.update(`${name} ${tensor.dtype} ${tensor.shape.join('x')}\n`);
      for await (const chunk of tensorChunks(reader, tensor, { signal })) hash.update(chunk);
    }
  } finally {
    await reader.close();
  }
  return hash.digest('hex');
}

/**
 * Finds the patcher of a conversion folder, which is in `patcher/`, or of a checkpoint folder.
 * @throws UsageError if the folder has none; the signal's reason
 */
export async function findPatcher(dir: string, signal?: AbortSignal): Promise<FoundPatcher> {
  const trained = outputFolder(dir, 'patcher');
  const isConversion = existsSync(join(dir, MANIFEST_NAME));
  const hasPatcher = isConversion && existsSync(join(trained, 'config.json'));
  const folder = hasPatcher ? trained : (await resolveCheckpoint(dir)).folder;
  const config = await readBltConfig(folder);
  const { threshold, maxPatchLength } = config.patching;
  const names = patcherTensors(config)
    .filter(({ unused }) => !unused)
    .map(({ name }) => name);
  const tokenizer = join(outputFolder(dir, 'import'), 'tokenizer.json');
  return {
    folder,
    patcher: {
      sha256: await tensorsDigest(folder, names, signal),
      threshold_nats: threshold,
      max_patch_bytes: maxPatchLength,
    },
    tokenizer: isConversion && existsSync(tokenizer) ? await digestOfFile(tokenizer, signal && { signal }) : null,
  };
}
