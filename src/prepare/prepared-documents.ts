/** @module Reads a prepared folder's documents, with their entropies and patch lengths if they are those of a given patcher. */
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  DOCUMENT_ENDS_FILE,
  DOCUMENTS_FILE,
  ENTROPIES_FILE,
  openSplit,
  PATCH_ENDS_FILE,
  PATCHES_FILE,
  type PreparedManifest,
  preparedShards,
  readEnds,
  readPrepared,
  SHARD_HINT,
} from '../data/index.js';
import { UsageError } from '../errors.js';
import { readFully } from '../fs/index.js';
import type { TextCut } from '../patching/index.js';
import { differingPatcher, findPatcher } from './patcher-identity.js';

export interface PreparedDocument {
  readonly bytes: Uint8Array;
  /** Its entropies and patch lengths; null unless they were asked for. */
  readonly cut: (Pick<TextCut, 'entropyNats'> & { readonly patchLengths: Uint32Array }) | null;
}

/** @throws UsageError naming what differs, if the folder's patches are not those of this patcher */
async function requirePatcher(folder: string, prepared: PreparedManifest, dir: string): Promise<void> {
  const differs = differingPatcher(prepared, await findPatcher(dir));
  const hint = `Prepare the data again with --patcher ${dir}, or use only its text.`;
  if (prepared.patcher === null) throw new UsageError(`${folder} was prepared without a patcher.`, { hint });
  if (differs !== null)
    throw new UsageError(`${folder} was prepared with another ${differs[0]} than that of ${dir}.`, { hint });
}

/** Opens a file for reads of ranges of values. */
async function openValues(path: string) {
  const file = await open(path, 'r');
  return {
    async read<Values extends Float32Array | Uint32Array>(into: Values, from: number): Promise<Values> {
      const bytes = new Uint8Array(into.buffer);
      await readFully(file, bytes, from * into.BYTES_PER_ELEMENT, path, SHARD_HINT);
      return into;
    },
    close: () => file.close(),
  };
}

async function openCuts(folder: string) {
  const ends = await readEnds(join(folder, PATCH_ENDS_FILE), SHARD_HINT);
  const entropies = await openValues(join(folder, ENTROPIES_FILE));
  const patches = await openValues(join(folder, PATCHES_FILE));
  return {
    async read(document: number, { begin, length }: { begin: number; length: number }) {
      const first = document === 0 ? 0 : ends[document - 1]!;
      return {
        entropyNats: await entropies.read(new Float32Array(length), begin),
        patchLengths: await patches.read(new Uint32Array(ends[document]! - first), first),
      };
    },
    async close() {
      await entropies.close();
      await patches.close();
    },
  };
}

async function* shardDocuments(folder: string, withCuts: boolean): AsyncGenerator<PreparedDocument> {
  const split = await openSplit({ bytes: join(folder, DOCUMENTS_FILE), ends: join(folder, DOCUMENT_ENDS_FILE) });
  const cuts = withCuts ? await openCuts(folder) : null;
  try {
    let begin = 0;
    for (let document = 0; document < split.count; document++) {
      const bytes = await split.read(document);
      yield { bytes, cut: cuts === null ? null : await cuts.read(document, { begin, length: bytes.length }) };
      begin += bytes.length;
    }
  } finally {
    await cuts?.close();
    await split.close();
  }
}

/**
 * Streams the documents of a prepared folder, one in memory at a time.
 * @param options.patcher a conversion or checkpoint folder: its patches are wanted. Without it only the text is read
 * @throws UsageError if the folder is not complete, or was prepared with another patcher, threshold or tokenizer
 *
 * @example
 * for await (const { bytes, cut } of preparedDocuments('prepared', { patcher: 'llama-blt' }))
 *   console.log(bytes.length, cut?.patchLengths.length);
 */
export async function* preparedDocuments(
  folder: string,
  options: { readonly patcher?: string } = {},
): AsyncGenerator<PreparedDocument> {
  const [prepared, shards] = [await readPrepared(folder), await preparedShards(folder)];
  if (prepared === null || !Array.isArray(shards))
    throw new UsageError(`${folder} is no complete prepared folder.`, {
      hint: 'Run `byteify prepare`, and `byteify prepare --merge` if it has several parts.',
    });
  if (options.patcher !== undefined) await requirePatcher(folder, prepared, options.patcher);
  for (const shard of shards) yield* shardDocuments(dirname(shard), options.patcher !== undefined);
}
