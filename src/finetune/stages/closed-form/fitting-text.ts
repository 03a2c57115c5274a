/** @module The text that a closed-form start is fitted on, in batches: cut by the patcher, read by the source. */
import type { BltConfig } from '../../../blt/index.js';
import { PACKER_START, type StoredSplit } from '../../../data/index.js';
import { openScratchFile } from '../../../fs/index.js';
import type { PatcherRunner } from '../../../model/index.js';
import type { BatchArrays } from '../../../patching/index.js';
import type { PatcherOutput } from '../../../patching/patcher-output.js';
import type { SourceSettings, StepBatch } from '../../batches/batch-preparer.js';
import { createBatchSource } from '../../batches/batch-source.js';
import { LONGEST_COUNT } from './layout.js';
import type { ObservedText } from './residual-backoff.js';

export interface FittingText {
  readonly data: StoredSplit;
  readonly config: BltConfig;
  readonly source: Omit<SourceSettings, 'targets'>;
  /** What the patcher says of the batches, in order. */
  readonly cuts: (index: number, arrays: BatchArrays) => Promise<PatcherOutput>;
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Runs the patcher once a batch, however often the text is read: what it said is kept in a file at `path`. */
export function keptCuts(
  entropies: PatcherRunner,
  path: string,
): { readonly cuts: FittingText['cuts']; close(): Promise<void> } {
  const file = openScratchFile(path);
  const offsets: number[] = [];
  let hasEnds = false;
  return {
    async cuts(index, arrays) {
      if (index === offsets.length) {
        const made = await entropies.of(arrays);
        hasEnds = made.endProbabilities !== null;
        offsets.push(await file.append(made.entropies, ...(hasEnds ? [made.endProbabilities!] : [])));
        return made;
      }
      const nats = new Float32Array(arrays.ids!.values.length);
      const endProbabilities = hasEnds ? new Float32Array(nats.length) : null;
      await file.read(offsets[index]!, nats, ...(endProbabilities === null ? [] : [endProbabilities]));
      return { entropies: nats, endProbabilities };
    },
    close: () => file.close(),
  };
}

/**
 * Batches of the first `bytes` of training text, of one micro-batch each, with what the source is asked.
 * @param states adds the source's states where they are wanted.
 */
export async function* fittingBatches(
  text: FittingText,
  bytes: number,
  targets: SourceSettings['targets'],
  states?: (batch: StepBatch) => Promise<StepBatch>,
): AsyncGenerator<StepBatch> {
  const { data, config, source, cuts, rows, length, seed, signal } = text;
  let index = 0;
  const batches = createBatchSource({
    rows: { kind: 'packed', files: data.files, rowBytes: length, seed, state: PACKER_START, repeat: true },
    config,
    patched: true,
    source: { ...source, targets },
    weights: 'weights',
    trainsTable: false,
    rowsPerStep: rows,
    microBatchRows: rows,
    room: { patches: 0, tokens: 0 },
    entropies: (arrays) => cuts(index++, arrays),
    ...(states !== undefined && { states }),
  });
  try {
    for (let left = Math.min(bytes, data.byteCount); left > 0; ) {
      signal.throwIfAborted();
      const batch = await batches.next();
      left -= batch.bytes;
      yield batch;
    }
  } finally {
    await batches.close();
  }
}

/** The documents of a micro-batch: their ids, and where they lie in it. */
export function documentsOf({ ids, documents }: BatchArrays): { ids: Int32Array; positions: Int32Array }[] {
  const [rows, length] = documents!.shape as [number, number];
  const found: { ids: Int32Array; positions: Int32Array }[] = [];
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * length;
    for (let start = row * length; start < end; ) {
      let stop = start + 1;
      while (stop < end && documents!.values[stop] === documents!.values[start]) stop++;
      const first = start;
      found.push({
        ids: ids!.values.slice(start, stop) as Int32Array,
        positions: Int32Array.from({ length: stop - start }, (_, i) => first + i),
      });
      start = stop;
    }
  }
  return found;
}

/**
 * The documents of a batch, position by position: where a patch of one token ends, that token; everywhere, how many bytes of the patch
 * came before.
 * @param vectors a row a token.
 */
export function observedTexts(arrays: BatchArrays, vectors: Float32Array): ObservedText[] {
  const { encoderPatch, patchToken, patchWeight } = arrays;
  return documentsOf(arrays).map(({ ids, positions }) => {
    const vector = new Int32Array(ids.length).fill(-1);
    const scalar = new Float32Array(ids.length);
    const patchAt = (i: number) => encoderPatch!.values[positions[i]!]!;
    let first = 0;
    for (let i = 0; i < ids.length; i++) {
      if (patchAt(first) !== patchAt(i)) first = i;
      scalar[i] = Math.min(i - first, LONGEST_COUNT);
      const closes = i + 1 < ids.length && patchAt(i + 1) !== patchAt(i);
      if (closes && patchWeight!.values[patchAt(i)]! > 0) vector[i] = patchToken!.values[patchAt(i)]!;
    }
    return { ids, vector, vectors, scalar, weight: 1, isWhole: true };
  });
}
