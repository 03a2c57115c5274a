/**
 * @module The source's last states for the rows of a batch, before its final norm. They come from the latent global transformer's layers, which are
 * the source's while they are held, over the source's own token embeddings. Kept on disk where rows come again and there is room.
 */
import type { BltConfig } from '../../blt/index.js';
import { gatherRows, type RunMode, reshapingFunction, tf, type Variable } from '../../engine/index.js';
import { openScratchFile } from '../../fs/index.js';
import { blockContext, globalLayers, type Params, sourceEmbedding } from '../../model/index.js';
import type { BatchArrays } from '../../patching/index.js';
import { fromFloat32, toFloat32 } from '../../safetensors/index.js';
import type { StepBatch } from '../batches/batch-preparer.js';

export interface SourceStatesOptions {
  readonly config: BltConfig;
  /** What is held: the layers and the source's embeddings are among it. */
  readonly fixed: ReadonlyMap<string, Variable>;
  /** Rows of a micro-batch. */
  readonly rows: number;
  readonly mode: RunMode;
  readonly cache: { readonly path: string; readonly maxBytes: number } | null;
}

export interface SourceStates {
  /** The batch with `sourceStates` [rows * tokens, Hg] in each micro-batch. */
  add(batch: StepBatch): Promise<StepBatch>;
  close(): Promise<void>;
}

/** A kept row: its place in the file and its tokens. */
interface Kept {
  readonly offset: number;
  readonly tokens: number;
}

/** bfloat16: relative errors of 2^-9, far below what the states are read with. */
const STORED = 'BF16';
const STORED_BYTES = 2;

/** The engine must be started. */
export function createSourceStates({ config, fixed, rows, mode, cache }: SourceStatesOptions): SourceStates {
  const width = config.global.hiddenSize;
  const kept = new Map<number, Kept>();
  const file = cache === null ? null : openScratchFile(cache.path);
  function body(ids: tf.Tensor, documents: tf.Tensor): tf.Tensor {
    const params: Params = new Map([...fixed].map(([name, variable]) => [name, variable.readFrozen()]));
    const shape = { rows, length: documents.shape[1]!, documents };
    return globalLayers(params, gatherRows(sourceEmbedding(params), ids), blockContext(config.global, shape));
  }

  const forward = reshapingFunction((ids, documents) => [body(ids!, documents!)], mode);

  async function computed({ sourceIds, sourceDocuments }: BatchArrays): Promise<Float32Array> {
    const inputs = [sourceIds!, sourceDocuments!].map(({ values, shape }) => tf.tensor(values, [...shape], 'int32'));
    const [states] = await forward.call(inputs);
    const values = states!.dataSync() as Float32Array;
    tf.dispose([states!, ...inputs]);
    return values;
  }

  async function keep(number: number, states: Float32Array): Promise<void> {
    const bytes = fromFloat32(states, STORED);
    if (file === null || number < 0 || kept.has(number) || file.length + bytes.length > cache!.maxBytes) return;
    kept.set(number, { offset: await file.append(bytes), tokens: states.length / width });
  }

  async function read({ offset, tokens }: Kept): Promise<Float32Array> {
    const bytes = new Uint8Array(tokens * width * STORED_BYTES);
    await file!.read(offset, bytes);
    return toFloat32(bytes, STORED);
  }

  /** States of a micro-batch, and how many of its rows had to be computed. */
  async function statesOf(arrays: BatchArrays, { numbers, tokens }: StepBatch['rows'][number]) {
    const room = arrays.sourceDocuments!.shape[1]!;
    const isThere = numbers.every((number) => number < 0 || kept.has(number));
    if (isThere) {
      const values = new Float32Array(rows * room * width);
      for (const [row, number] of numbers.entries())
        if (number >= 0) values.set(await read(kept.get(number)!), row * room * width);
      return { values, computedRows: 0 };
    }
    const exact = await computed(arrays);
    // Rounded whether they are read or computed: a run that goes on sees what it would have seen.
    const values = cache === null ? exact : toFloat32(fromFloat32(exact, STORED), STORED);
    for (const [row, number] of numbers.entries()) {
      const from = row * room * width;
      await keep(number, values.subarray(from, from + tokens[row]! * width));
    }
    return { values, computedRows: numbers.filter((number) => number >= 0).length };
  }

  return {
    async add(batch) {
      const batches: BatchArrays[] = [];
      let [computedRows, allRows] = [0, 0];
      for (const [i, arrays] of batch.batches.entries()) {
        const { values, computedRows: some } = await statesOf(arrays, batch.rows[i]!);
        const { sourceIds, sourceDocuments, ...rest } = arrays;
        batches.push({ ...rest, sourceStates: { values, shape: [values.length / width, width] } });
        computedRows += some;
        allRows += batch.rows[i]!.numbers.filter((number) => number >= 0).length;
      }
      return { ...batch, batches, computedShare: computedRows / allRows };
    },
    async close() {
      forward.dispose();
      await file?.close();
    },
  };
}
