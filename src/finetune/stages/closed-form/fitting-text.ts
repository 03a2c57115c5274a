/** @module The text that the closed-form initialisation is fitted to, as batches: cut by the patcher and read by the source. */
import type { BltConfig } from '../../../blt/index.js';
import { PACKER_START, type StoredSplit } from '../../../data/index.js';
import { openScratchFile } from '../../../fs/index.js';
import type { PatcherRunner } from '../../../model/index.js';
import type { Arrays, BatchWith, PatcherOutput } from '../../../patching/index.js';
import type { ByteBatch, SourceSettings } from '../../batches/batch-preparer.js';
import { createBatchSource } from '../../batches/batch-source.js';
import { NO_CAPACITY } from '../../batches/capacity.js';
import type { StepBatch } from '../../batches/step-batch.js';
import { LONGEST_COUNT } from './layout.js';
import type { ObservedText } from './residual-backoff.js';

export interface FittingText {
  readonly data: StoredSplit;
  readonly config: BltConfig;
  readonly source: Omit<SourceSettings, 'targets'>;
  /** The patcher's output for a batch, by the batch's index. */
  readonly runPatcher: (index: number, batch: ByteBatch) => Promise<PatcherOutput>;
  readonly rows: number;
  readonly length: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Runs the patcher once per batch, however often the text is read: its outputs are cached in a file at `path`. */
export function cachePatcherOutputs(
  patcher: PatcherRunner,
  path: string,
): { readonly run: FittingText['runPatcher']; close(): Promise<void> } {
  const file = openScratchFile(path);
  const offsets: number[] = [];
  let hasEnds = false;
  return {
    async run(index, batch) {
      if (index === offsets.length) {
        const output = await patcher.run(batch);
        hasEnds = output.endProbabilities !== null;
        offsets.push(await file.append(output.entropies, ...(hasEnds ? [output.endProbabilities!] : [])));
        return output;
      }
      const nats = new Float32Array(batch.ids.length);
      const endProbabilities = hasEnds ? new Float32Array(nats.length) : null;
      await file.read(offsets[index]!, nats, ...(endProbabilities === null ? [] : [endProbabilities]));
      return { entropies: nats, endProbabilities };
    },
    close: () => file.close(),
  };
}

/**
 * Batches of one micro-batch each over the first `bytes` of the training text, with what the source must provide.
 * @param states adds the source's states, if they are needed.
 * @throws the signal's reason.
 */
export async function* fittingBatches(
  text: FittingText,
  bytes: number,
  targets: SourceSettings['targets'],
  states?: (batch: StepBatch) => Promise<StepBatch>,
): AsyncGenerator<StepBatch> {
  const { data, config, source, runPatcher, rows, length, seed, signal } = text;
  let index = 0;
  const batches = createBatchSource({
    rows: {
      ...{ kind: 'packed', files: data.files, domains: data.domains, rowBytes: length, seed },
      ...{ state: PACKER_START, repeat: true },
    },
    config,
    patched: true,
    source: { ...source, targets },
    weights: 'weights',
    trainsTable: false,
    rowsPerStep: rows,
    microBatchRows: rows,
    capacity: NO_CAPACITY,
    runPatcher: (batch) => runPatcher(index++, batch),
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

/** The documents of a micro-batch: their ids and positions. Padding counts as a document. */
export function documentsOf(
  batch: BatchWith<Arrays, 'ids' | 'documents'>,
): { ids: Int32Array; positions: Int32Array }[] {
  const { rows, length, ids } = batch;
  const documents = batch.documents ?? new Int32Array(ids.length);
  const found: { ids: Int32Array; positions: Int32Array }[] = [];
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * length;
    for (let start = row * length; start < end; ) {
      let stop = start + 1;
      while (stop < end && documents[stop] === documents[start]) stop++;
      const first = start;
      const positions = Int32Array.from({ length: stop - start }, (_, i) => first + i);
      found.push({ ids: ids.slice(start, stop), positions });
      start = stop;
    }
  }
  return found;
}

/** The fields that `observedTexts` reads. */
export const OBSERVED_FIELDS = ['ids', 'documents', 'encoderPatch', 'patchToken', 'patchWeight'] as const;

/**
 * The documents of a batch as observations. The vector is that of the patch's token, at the last byte of each patch that is exactly one token.
 * The scalar, at every position, is the number of bytes before it in its patch.
 * @param vectors one row per token.
 */
export function observedTexts(
  batch: BatchWith<Arrays, (typeof OBSERVED_FIELDS)[number]>,
  vectors: Float32Array,
): ObservedText[] {
  const { encoderPatch, patchToken, patchWeight } = batch;
  return documentsOf(batch).map(({ ids, positions }) => {
    const vector = new Int32Array(ids.length).fill(-1);
    const scalar = new Float32Array(ids.length);
    const patchAt = (i: number) => encoderPatch[positions[i]!]!;
    let first = 0;
    for (let i = 0; i < ids.length; i++) {
      if (patchAt(first) !== patchAt(i)) first = i;
      scalar[i] = Math.min(i - first, LONGEST_COUNT);
      const closes = i + 1 < ids.length && patchAt(i + 1) !== patchAt(i);
      if (closes && patchWeight[patchAt(i)]! > 0) vector[i] = patchToken[patchAt(i)]!;
    }
    return { ids, vector, vectors, scalar, weight: 1, isWhole: true };
  });
}
