/**
 * @module The source's last hidden states, before its final norm, for the rows of a batch. They are computed from the source's own token embeddings,
 * by the latent global transformer while its layers are the source's, otherwise by a second copy of these. If rows repeat, their states are
 * cached on disk.
 */
import type { BltConfig } from '../../blt/index.js';
import {
  gatherRows,
  type Precision,
  type RunMode,
  retracedFunction,
  tf,
  type Variable,
  withPrecision,
} from '../../engine/index.js';
import { batchInputs, blockContext, type Params, sourceEmbedding, sourceLayers } from '../../model/index.js';
import { type Arrays, type BatchWith, requireFields } from '../../patching/index.js';
import type { MicroBatchRows, StepBatch } from '../batches/step-batch.js';
import { openStateCache, type StateCache, type StateCacheOptions } from './state-cache.js';

export interface SourceStatesOptions {
  readonly config: BltConfig;
  /** The frozen tensors, including the source's embeddings, and the global transformer or the source's own layers. */
  readonly frozen: ReadonlyMap<string, Variable>;
  readonly mode: RunMode;
  /** Of the products in its layers. */
  readonly precision: Precision;
  /** Null computes the states of every batch again. */
  readonly cache: StateCacheOptions | null;
}

export interface SourceStates {
  /** Returns the batch with `sourceStates` [rows * tokens, Hg] in each micro-batch. */
  add(batch: StepBatch): Promise<StepBatch>;
  close(): Promise<void>;
}

const INPUTS = ['sourceIds', 'sourceDocuments'] as const;
type InputBatch = BatchWith<Arrays, (typeof INPUTS)[number]>;

/** Runs the source on its tokens: hidden states [rows * tokens, Hg] of a micro-batch. */
function sourceRunner({ config, frozen, mode, precision }: SourceStatesOptions) {
  const source = retracedFunction(mode);
  return {
    async run(micro: InputBatch): Promise<Float32Array> {
      const { tensors, key, batchOf } = batchInputs(micro, INPUTS);
      const body = (given: readonly tf.Tensor[]) => {
        const { rows, tokens: length, sourceIds, sourceDocuments: documents } = batchOf(given);
        const params: Params = new Map([...frozen].map(([name, variable]) => [name, variable.readFrozen()]));
        const context = blockContext(config.global, { rows, length, documents });
        return withPrecision(precision, () => [
          sourceLayers(params, gatherRows(sourceEmbedding(params), sourceIds), context),
        ]);
      };
      const [states] = await source.call(body, tensors, key);
      const values = states!.dataSync() as Float32Array;
      tf.dispose([states!, ...tensors]);
      return values;
    },
    dispose: () => source.dispose(),
  };
}

const isReal = (number: number) => number >= 0;

/** The states of a micro-batch [rows * tokens, width] if all of its rows are cached, otherwise null. */
async function cachedStates(
  { rows, tokens }: InputBatch,
  { numbers }: MicroBatchRows,
  cache: StateCache,
  width: number,
): Promise<Float32Array | null> {
  if (!numbers.filter(isReal).every((number) => cache.has(number))) return null;
  const values = new Float32Array(rows * tokens * width);
  for (const [row, number] of numbers.entries())
    if (isReal(number)) values.set(await cache.read(number), row * tokens * width);
  return values;
}

/** Creates a source of states. The engine must be started. */
export function createSourceStates(options: SourceStatesOptions): SourceStates {
  const width = options.config.global.hiddenSize;
  const cache = options.cache === null ? null : openStateCache(options.cache);
  const source = sourceRunner(options);

  /** The states of a micro-batch, and how many of its rows were computed. */
  async function statesOf(micro: InputBatch, rows: MicroBatchRows) {
    const cached = cache === null ? null : await cachedStates(micro, rows, cache, width);
    if (cached !== null) return { values: cached, computedRows: 0 };
    const exact = await source.run(micro);
    const computedRows = rows.numbers.filter(isReal).length;
    if (cache === null) return { values: exact, computedRows };
    const values = cache.rounded(exact);
    for (const [row, number] of rows.numbers.entries()) {
      const from = row * micro.tokens * width;
      await cache.store(number, values.subarray(from, from + rows.tokens[row]! * width));
    }
    return { values, computedRows };
  }

  return {
    async add(batch) {
      const batches: StepBatch['batches'][number][] = [];
      let [computedRows, allRows] = [0, 0];
      for (const [i, micro] of batch.batches.entries()) {
        const rows = batch.rows[i]!;
        const states = await statesOf(requireFields(micro, INPUTS), rows);
        batches.push({ ...micro, sourceStates: states.values });
        computedRows += states.computedRows;
        allRows += rows.numbers.filter(isReal).length;
      }
      return { ...batch, batches, computedShare: computedRows / Math.max(1, allRows) };
    },
    async close() {
      source.dispose();
      await cache?.close();
    },
  };
}
