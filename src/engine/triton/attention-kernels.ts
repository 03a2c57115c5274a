/**
 * @module Causal attention as kernels that keep scores and probabilities on the chip (Dao 2023, "FlashAttention-2", arXiv 2307.08691, algorithms 1
 * and 2). A query of a row sees the keys up to its own position, within a window and within its own document. Query heads share key-value heads
 * in groups.
 */
import type { Kernel, Tile, Tiles } from './tiles.js';

export interface AttentionShape {
  readonly rows: number;
  /** Query heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly length: number;
  /** Width of a head: see `takesHeads`. */
  readonly headDim: number;
  /** Keys that a query sees, its own included. */
  readonly window: number;
  /** Of q, k, v and results. */
  readonly type: 'bf16' | 'f32';
  /** Whether rows contain several documents: kernels then get the document of each position, i32 [rows, length], as their last operand. */
  readonly packed: boolean;
}

/** Whether the kernels take heads of a width: rows of a head begin at multiples of 16 bytes, and tiles of wider heads do not fit into the chip. */
export const takesHeads = (headDim: number): boolean => headDim % 8 === 0 && headDim <= 128;

/** The width of tiles, a power of two: channels beyond the head's are zeros. Products take at least 16 channels. */
const tileWidth = (headDim: number): number => Math.max(16, 2 ** Math.ceil(Math.log2(headDim)));

/** Positions of a tile. */
interface Blocks {
  readonly queries: number;
  readonly keys: number;
}

const FORWARD: Readonly<Record<AttentionShape['type'], Blocks>> = {
  bf16: { queries: 128, keys: 64 },
  f32: { queries: 64, keys: 32 },
};
const BACKWARD: Readonly<Record<AttentionShape['type'], Blocks>> = {
  bf16: { queries: 64, keys: 64 },
  f32: { queries: 32, keys: 32 },
};
/** Wide heads fill the registers of four warps. */
const WIDE_HEAD = 128;

/** Exponentials are powers of two, which GPUs compute. */
const LOG2_E = Math.LOG2E;
/** The score of a key that a query does not see. A finite value avoids infinity minus infinity; its weight is 0 beside any other score. */
const UNSEEN = -1e30;

/** A tile of the backward pass. */
interface BackwardTiles<T> {
  readonly of: readonly [T, T];
  readonly slopesOf: readonly [T, T];
  /** Which queries see which keys. */
  readonly seen: T;
  readonly sums: T;
  readonly deltas: T;
  readonly axis: 0 | 1;
}

/** Attention's operations in terms of tiles, for one program. */
function attentionTiles<T extends Tile>(t: Tiles<T>, shape: AttentionShape) {
  const { heads, kvHeads, length, headDim, window, packed, type } = shape;
  const width = tileWidth(headDim);
  const number = (value: number) => t.constant(value, 'i32');
  const filled = (value: number, shape: readonly number[]) => t.constant(value, 'f32', shape);
  const scaled = (x: T, factor: number) => t.arithmetic('multiply', x, filled(factor, x.shape));
  const add = (a: T, b: T) => t.arithmetic('add', a, b);
  const subtract = (a: T, b: T) => t.arithmetic('subtract', a, b);
  const multiply = (a: T, b: T) => t.arithmetic('multiply', a, b);
  const times = (x: T, factor: number) => multiply(x, number(factor));
  /** Positions from a number on: i32 [count]. */
  const positions = (from: T, count: number) => add(t.spread(from, [count]), t.range(count));
  const upTo = (position: T) => t.arithmetic('minimum', position, number(length));
  /** Which positions exist. */
  const exist = (at: T) => t.less(at, t.constant(length, 'i32', at.shape));

  /** Offsets of the rows of a head, [positions, headDim]. `head` counts heads of all rows of the batch. */
  function offsets(head: T, at: T): T {
    const shape = [at.shape[0]!, width];
    const starts = add(
      t.spread(times(head, length * headDim), at.shape),
      multiply(at, t.constant(headDim, 'i32', at.shape)),
    );
    return add(t.spread(starts, shape, 0), t.spread(t.range(width), shape, 1));
  }
  /** Which elements of some positions exist. */
  function elements(at: T): T {
    const shape = [at.shape[0]!, width];
    const rows = t.spread(exist(at), shape, 0);
    if (width === headDim) return rows;
    const channels = t.less(t.range(width), t.constant(headDim, 'i32', [width]));
    return t.and(rows, t.spread(channels, shape, 1));
  }
  /** Offsets of numbers, one per position. */
  const singles = (series: T, at: T) => add(t.spread(times(series, length), at.shape), at);

  return {
    ...{ number, filled, scaled, add, subtract, multiply, times, positions, exist },
    /** Sums of states, before anything is added: f32 [positions, width]. */
    noStates: (count: number) => filled(0, [count, width]),
    /** The states of a head at some positions: [positions, width]. */
    loadStates: (parameter: number, head: T, at: T) => t.load(parameter, offsets(head, at), elements(at)),
    storeStates: (parameter: number, head: T, at: T, value: T) =>
      t.store(parameter, offsets(head, at), t.cast(value, type), elements(at)),
    /** Numbers of a series, one per position: [positions]. */
    loadNumbers: (parameter: number, series: T, at: T) => t.load(parameter, singles(series, at), exist(at)),
    storeNumbers: (parameter: number, series: T, at: T, value: T) =>
      t.store(parameter, singles(series, at), value, exist(at)),
    /**
     * Which queries see which keys, i1 of `shape`.
     * @param axis the axis along which queries run. @param documents of the queries and keys; null if rows are documents
     */
    sees(queries: T, keys: T, shape: readonly number[], axis: 0 | 1, documents: readonly [T, T] | null): T {
      const other = axis === 0 ? 1 : 0;
      const [query, key] = [t.spread(queries, shape, axis), t.spread(keys, shape, other)];
      const distance = subtract(query, key);
      const near = t.and(
        t.less(t.constant(-1, 'i32', shape), distance),
        t.less(distance, t.constant(window, 'i32', shape)),
      );
      const real = t.and(near, t.and(t.spread(exist(queries), shape, axis), t.spread(exist(keys), shape, other)));
      if (documents === null) return real;
      const [ofQueries, ofKeys] = documents;
      return t.and(real, t.equal(t.spread(ofQueries, shape, axis), t.spread(ofKeys, shape, other)));
    },
    /**
     * The weights of keys in the backward pass, and the slopes of their scores.
     * @param tiles.of queries and keys, in the order of the tile's axes. @param tiles.slopesOf the slopes of results and the values, in the same order
     * @param tiles.sums of each query, as `deltas`. @param tiles.axis the axis along which queries run
     */
    weightsAndSlopes({ of, slopesOf, seen, sums, deltas, axis }: BackwardTiles<T>) {
      const tile = seen.shape;
      const zeros = filled(0, tile);
      const product = ([x, y]: readonly [T, T]) => t.product(x, t.transpose(y), zeros);
      const exponents = subtract(scaled(product(of), LOG2_E), t.spread(sums, tile, axis));
      const weights = t.select(seen, t.exp2(exponents), zeros);
      const scoreSlopes = multiply(weights, subtract(product(slopesOf), t.spread(deltas, tile, axis)));
      return { weights, scoreSlopes };
    },
    /** The queries of this program: positions from `from` to `end` of one head, its key-value head and its row. */
    queryBlock(size: number) {
      const from = times(t.program(0), size);
      const head = t.program(1);
      return {
        ...{ from, head, at: positions(from, size), end: upTo(add(from, number(size))) },
        kvHead: t.arithmetic('divide', head, number(heads / kvHeads)),
        row: t.arithmetic('divide', head, number(heads)),
      };
    },
    /** The first key of the blocks that queries from a position on see. */
    firstKey(from: T, step: number): T {
      const first = t.arithmetic('maximum', subtract(from, number(window - 1)), number(0));
      return times(t.arithmetic('divide', first, number(step)), step);
    },
    upTo,
    documentsAt: (parameter: number, row: T, at: T): T | null =>
      packed ? t.load(parameter, singles(row, at), exist(at)) : null,
  };
}

const pair = <T>(a: T | null, b: T | null): readonly [T, T] | null => (a === null || b === null ? null : [a, b]);

function launch({ headDim, type }: AttentionShape) {
  const isWide = tileWidth(headDim) >= WIDE_HEAD;
  // Wide heads of float32, read ahead, would not fit into the shared memory of an RTX card.
  return { warps: isWide ? 8 : 4, stages: isWide && type === 'f32' ? 1 : 2 };
}
const documentsOf = ({ packed }: AttentionShape) => (packed ? (['i32'] as const) : []);
const blocksOf = (length: number, size: number) => Math.ceil(length / size);

/** (q, k, v, [documents]) -> (out like q, the logarithm to base 2 of each query's sum of exponentials, f32 [rows, heads, length]). */
export function forwardKernel(shape: AttentionShape): Kernel {
  const { rows, heads, length, packed, type } = shape;
  const { queries, keys } = FORWARD[type];
  const [DOCUMENTS, OUT, SUMS] = packed ? [3, 4, 5] : [-1, 3, 4];
  return {
    name: 'attention',
    parameters: [type, type, type, ...documentsOf(shape), type, 'f32'],
    grid: [blocksOf(length, queries), rows * heads],
    ...launch(shape),
    run(t) {
      const a = attentionTiles(t, shape);
      const { from, end, head, kvHead, row, at } = a.queryBlock(queries);
      const q = a.loadStates(0, head, at);
      const documents = a.documentsAt(DOCUMENTS!, row, at);
      const tile = [queries, keys];
      const carried = [a.filled(UNSEEN, [queries]), a.filled(0, [queries]), a.noStates(queries)];
      const [most, sum, mixed] = t.loop(
        a.firstKey(from, keys),
        end,
        keys,
        carried,
        (first, [mostBefore, sumBefore, mix]) => {
          const keyAt = a.positions(first, keys);
          const [k, v] = [a.loadStates(1, kvHead, keyAt), a.loadStates(2, kvHead, keyAt)];
          const seen = a.sees(at, keyAt, tile, 0, pair(documents, a.documentsAt(DOCUMENTS!, row, keyAt)));
          const scores = a.scaled(t.product(q, t.transpose(k), a.filled(0, tile)), LOG2_E);
          const kept = t.select(seen, scores, a.filled(UNSEEN, tile));
          const mostNow = t.arithmetic('maximum', mostBefore!, t.reduce('maximum', kept));
          const weights = t.exp2(a.subtract(kept, t.spread(mostNow, tile, 0)));
          const shrink = t.exp2(a.subtract(mostBefore!, mostNow));
          const sumNow = a.add(a.multiply(sumBefore!, shrink), t.reduce('sum', weights));
          const shrunk = a.multiply(mix!, t.spread(shrink, mix!.shape, 0));
          return [mostNow, sumNow, t.product(t.cast(weights, type), v, shrunk)];
        },
      );
      a.storeStates(OUT!, head, at, t.arithmetic('divide', mixed!, t.spread(sum!, mixed!.shape, 0)));
      a.storeNumbers(SUMS!, head, at, a.add(most!, t.log2(sum!)));
    },
  };
}

/** (q, k, v, dOut, sums, deltas, [documents]) -> dQ like q. `deltas`, f32 [rows, heads, length], are the sums of dOut times out. */
export function queryGradientKernel(shape: AttentionShape): Kernel {
  const { rows, heads, length, packed, type } = shape;
  const { queries, keys } = BACKWARD[type];
  const [DOCUMENTS, D_QUERY] = packed ? [6, 7] : [-1, 6];
  return {
    name: 'attention_query_gradient',
    parameters: [...[type, type, type, type], 'f32', 'f32', ...documentsOf(shape), type],
    grid: [blocksOf(length, queries), rows * heads],
    ...launch(shape),
    run(t) {
      const a = attentionTiles(t, shape);
      const { from, end, head, kvHead, row, at } = a.queryBlock(queries);
      const [q, slope] = [a.loadStates(0, head, at), a.loadStates(3, head, at)];
      const [sums, deltas] = [a.loadNumbers(4, head, at), a.loadNumbers(5, head, at)];
      const documents = a.documentsAt(DOCUMENTS!, row, at);
      const tile = [queries, keys];
      const [gradient] = t.loop(a.firstKey(from, keys), end, keys, [a.noStates(queries)], (first, [before]) => {
        const keyAt = a.positions(first, keys);
        const [k, v] = [a.loadStates(1, kvHead, keyAt), a.loadStates(2, kvHead, keyAt)];
        const seen = a.sees(at, keyAt, tile, 0, pair(documents, a.documentsAt(DOCUMENTS!, row, keyAt)));
        const { scoreSlopes } = a.weightsAndSlopes({ of: [q, k], slopesOf: [slope, v], seen, sums, deltas, axis: 0 });
        return [t.product(t.cast(scoreSlopes, type), k, before!)];
      });
      a.storeStates(D_QUERY!, head, at, gradient!);
    },
  };
}

/** The same operands -> (dK, dV), like k and v: sums over the query heads that share a key-value head. */
export function keyGradientKernel(shape: AttentionShape): Kernel {
  const { rows, heads, kvHeads, length, window, packed, type } = shape;
  const { queries, keys } = BACKWARD[type];
  const [DOCUMENTS, D_KEY, D_VALUE] = packed ? [6, 7, 8] : [-1, 6, 7];
  return {
    name: 'attention_key_gradient',
    parameters: [...[type, type, type, type], 'f32', 'f32', ...documentsOf(shape), type, type],
    grid: [blocksOf(length, keys), rows * kvHeads],
    ...launch(shape),
    run(t) {
      const a = attentionTiles(t, shape);
      const from = a.times(t.program(0), keys);
      const kvHead = t.program(1);
      const row = t.arithmetic('divide', kvHead, a.number(kvHeads));
      const firstHead = a.times(kvHead, heads / kvHeads);
      const keyAt = a.positions(from, keys);
      const [k, v] = [a.loadStates(1, kvHead, keyAt), a.loadStates(2, kvHead, keyAt)];
      const documents = a.documentsAt(DOCUMENTS!, row, keyAt);
      const tile = [keys, queries];
      const none = a.noStates(keys);
      const begin = a.times(t.arithmetic('divide', from, a.number(queries)), queries);
      // The last key's last query. Windows may be as long as the text, which must not overflow.
      const end = a.upTo(a.add(from, a.number(keys - 1 + Math.min(window, length))));
      const lastHead = a.add(firstHead, a.number(heads / kvHeads));
      const [dKey, dValue] = t.loop(firstHead, lastHead, 1, [none, none], (head, ofHeads) =>
        t.loop(begin, end, queries, ofHeads, (first, [dKeyBefore, dValueBefore]) => {
          const at = a.positions(first, queries);
          const [q, slope] = [a.loadStates(0, head, at), a.loadStates(3, head, at)];
          const [sums, deltas] = [a.loadNumbers(4, head, at), a.loadNumbers(5, head, at)];
          const seen = a.sees(at, keyAt, tile, 1, pair(a.documentsAt(DOCUMENTS!, row, at), documents));
          const found = a.weightsAndSlopes({ of: [k, q], slopesOf: [v, slope], seen, sums, deltas, axis: 1 });
          return [
            t.product(t.cast(found.scoreSlopes, type), q, dKeyBefore!),
            t.product(t.cast(found.weights, type), slope, dValueBefore!),
          ];
        }),
      );
      a.storeStates(D_KEY!, kvHead, keyAt, dKey!);
      a.storeStates(D_VALUE!, kvHead, keyAt, dValue!);
    },
  };
}
