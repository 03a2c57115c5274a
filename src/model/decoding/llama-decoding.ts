/** @module Incremental reading with a Llama: keys and values of the tokens read so far are kept, and the last ones can be taken back. Eager. */
import { crossEntropyRows, gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import { type LlamaModel, llamaBlocks, llamaHead } from '../llama.js';
import { param } from '../params.js';
import { blocks } from '../transformer.js';
import { cachePositions } from './cache-positions.js';
import { cachedContext, positionShapes } from './cached-context.js';
import { powerOfTwo } from './kv-cache.js';
import { createCaches, disposeCaches, grownCaches } from './layer-caches.js';

export interface LlamaReading {
  /** The negative log-likelihood, in nats, of each target. */
  readonly nats: Float32Array;
  /** The most likely token after the last id. */
  readonly next: number;
}

export interface LlamaDecoding {
  /**
   * Reads tokens after those that were read before.
   * @param ids at least one @param targets the tokens that follow the last `targets.length` ids
   */
  read(ids: readonly number[], targets: readonly number[]): LlamaReading;
  /** Takes back all but the first `length` tokens. */
  rewind(length: number): void;
  dispose(): void;
}

/** Tokens per step, which bounds the memory of scores and logits. */
const CHUNK = 256;
const FIRST_TOKENS = 512;

/** Opens a decoding of one sequence. The engine must be started. The caller keeps `model`. */
export function openLlamaDecoding(model: LlamaModel): LlamaDecoding {
  const { params, config, ropeLayout } = model;
  const transformer = llamaBlocks(config);
  let caches = createCaches(transformer, 1, FIRST_TOKENS);
  let length = 0;

  /** Hidden states [ids, hidden] after the final norm. */
  function hiddenOf(ids: readonly number[]): tf.Tensor {
    const positions = cachePositions(caches, [{ slot: 0, start: length }], ids.length);
    const shapes = positionShapes(caches, 1, ids.length);
    const tensors = {
      cos: tf.tensor(positions.cos, shapes.cos),
      sin: tf.tensor(positions.sin, shapes.sin),
      rows: tf.tensor(positions.rows, shapes.rows, 'int32'),
      mask: tf.tensor(positions.mask, shapes.mask),
      kept: tf.zeros([0], 'int32'),
    };
    const context = cachedContext(caches, tensors, { slots: 1, count: ids.length, layout: ropeLayout });
    const embedded = gatherRows(param(params, 'model.embed_tokens.weight'), tf.tensor1d([...ids], 'int32'));
    return rmsNorm(blocks(embedded, params, 'model', context), param(params, 'model.norm.weight'), config.rmsNormEps);
  }

  function readChunk(ids: readonly number[], targets: readonly number[]): LlamaReading {
    if (length + ids.length > caches.capacity) caches = grownCaches(caches, powerOfTwo(length + ids.length));
    const found = tf.tidy(() => {
      const hidden = hiddenOf(ids);
      const count = Math.max(1, targets.length);
      const logits = linear(tf.slice(hidden, [ids.length - count, 0], [count, -1]), llamaHead(model));
      const last = tf.slice(logits, [count - 1, 0], [1, -1]);
      const nats =
        targets.length === 0
          ? new Float32Array()
          : (crossEntropyRows(logits, tf.tensor1d([...targets], 'int32')).dataSync() as Float32Array);
      return { nats: Float32Array.from(nats), next: tf.argMax(last, 1).dataSync()[0]! };
    });
    length += ids.length;
    return found;
  }

  return {
    read(ids, targets) {
      const nats = new Float32Array(targets.length);
      // The ids before this one have no target.
      const first = ids.length - targets.length;
      let next = 0;
      for (let from = 0; from < ids.length; from += CHUNK) {
        const to = Math.min(from + CHUNK, ids.length);
        const found = readChunk(ids.slice(from, to), targets.slice(Math.max(0, from - first), Math.max(0, to - first)));
        nats.set(found.nats, Math.max(0, from - first));
        next = found.next;
      }
      return { nats, next };
    },
    rewind(kept) {
      length = Math.min(length, kept);
    },
    dispose: () => disposeCaches(caches),
  };
}
