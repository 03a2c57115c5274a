/** @module The text that a closed-form start is fitted on, in batches: cut by the patcher, read by the source. */
import type { BltConfig } from '../../blt/index.js';
import { PACKER_START, type StoredSplit } from '../../data/index.js';
import type { ObservedText } from '../../distill/index.js';
import type { BatchArrays } from '../batch-arrays.js';
import type { SourceSettings, StepBatch } from '../batch-preparer.js';
import { createBatchSource } from '../batch-source.js';
import type { Entropies } from '../entropies.js';
import { LONGEST_COUNT } from './layout.js';

export interface FittingText {
  readonly data: StoredSplit;
  readonly config: BltConfig;
  readonly source: Omit<SourceSettings, 'targets'>;
  readonly entropies: Entropies;
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
  readonly signal: AbortSignal;
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
  const { data, config, source, entropies, rows, length, seed, signal } = text;
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
    entropies: entropies.of,
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

/**
 * The documents of a batch, position by position: where a patch of one token ends, that token; everywhere, how many bytes of the patch
 * came before.
 */
export function observedTexts(arrays: BatchArrays): ObservedText[] {
  const { ids, documents, encoderPatch, patchToken, patchWeight } = arrays;
  const [rows, length] = documents!.shape as [number, number];
  const texts: ObservedText[] = [];
  for (let row = 0; row < rows; row++) {
    let start = row * length;
    const end = start + length;
    while (start < end) {
      let stop = start + 1;
      while (stop < end && documents!.values[stop] === documents!.values[start]) stop++;
      const count = stop - start;
      const vector = new Int32Array(count).fill(-1);
      const scalar = new Float32Array(count);
      let first = start;
      for (let at = start; at < stop; at++) {
        const patch = encoderPatch!.values[at]!;
        if (encoderPatch!.values[first] !== patch) first = at;
        scalar[at - start] = Math.min(at - first, LONGEST_COUNT);
        const closes = at + 1 < stop && encoderPatch!.values[at + 1] !== patch;
        if (closes && patchWeight!.values[patch]! > 0) vector[at - start] = patchToken!.values[patch]!;
      }
      texts.push({ ids: ids!.values.slice(start, stop) as Int32Array, vector, scalar, weight: 1, isWhole: true });
      start = stop;
    }
  }
  return texts;
}
