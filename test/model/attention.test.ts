import { beforeAll, describe, expect, it } from 'vitest';
import type { TransformerConfig } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { bytesAttendToPatch, patchesAttendToBytes, patchRowsOf } from '../../src/model/cross-attention.js';
import { attentionPlan } from '../../src/model/masks.js';
import type { Params } from '../../src/model/params.js';
import { type RopeLayout, ropeTable, rotatedHeads, selfAttention } from '../../src/model/transformer.js';
import { denseAttention } from '../support/dense-attention.js';
import { paramsOf } from '../support/golden-batch.js';
import { everyWay, expectAlike, ints, numbers, relativeDifference, withGradients } from '../support/modes.js';

const ALIKE = 1e-5;

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

/** Compares each gradient of a weighted sum of f along one direction with central differences, eagerly. */
function expectSlopes(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  gradients: Float32Array[],
) {
  const step = 1e-2;
  gradients.forEach((gradient, which) => {
    tf.tidy(() => {
      const direction = numbers(inputs[which]!.shape, 31 + which);
      const at = (by: number) => {
        const moved = inputs.map((x, i) => (i === which ? tf.add(x, tf.mul(direction, by)) : x));
        const out = f(...moved);
        return tf.sum(tf.mul(out, numbers(out.shape, 9))).dataSync()[0]!;
      };
      const wanted = (at(step) - at(-step)) / (2 * step);
      const along = direction.dataSync();
      const found = gradient.reduce((sum, slope, i) => sum + slope * along[i]!, 0);
      const size = Math.hypot(...gradient) * Math.hypot(...along);
      expect(Math.abs(found - wanted) / size, `input ${which}: ${found} is not ${wanted}`).toBeLessThan(5e-3);
    });
  });
}

describe('rotated heads', () => {
  const [rows, length, heads, headDim, scale] = [2, 5, 3, 8, 0.25];
  const rope = { type: 'default', theta: 100 } as const;

  /** The definition: pair j of position p rotates by p * theta^(-2j/d). */
  function rotated(x: ArrayLike<number>, layout: RopeLayout): number[] {
    const out = new Array<number>(rows * length * heads * headDim);
    for (let row = 0; row < rows; row++)
      for (let p = 0; p < length; p++)
        for (let head = 0; head < heads; head++)
          for (let j = 0; j < headDim / 2; j++) {
            const [one, two] = layout === 'half' ? [j, j + headDim / 2] : [2 * j, 2 * j + 1];
            const from = ((row * length + p) * heads + head) * headDim;
            const to = ((row * heads + head) * length + p) * headDim;
            const angle = p * 100 ** ((-2 * j) / headDim);
            const [a, b] = [x[from + one]!, x[from + two]!];
            out[to + one] = scale * (a * Math.cos(angle) - b * Math.sin(angle));
            out[to + two] = scale * (b * Math.cos(angle) + a * Math.sin(angle));
          }
    return out;
  }

  it.each(['interleaved', 'half'] as const)('are those of the plain formula, for the layout %s', async (layout) => {
    const x = numbers([rows * length, heads * headDim], 1);
    const f = (flat: tf.Tensor) =>
      rotatedHeads(flat, { rows, length, heads, scale }, ropeTable(rope, length, headDim, layout));
    const found = await everyWay(
      withGradients((flat) => f(flat!), 1),
      [x],
    );
    expectAlike(found, ALIKE);
    expect(relativeDifference(found.xla[0]!, rotated(x.dataSync(), layout))).toBeLessThan(1e-5);
    tf.tidy(() => expectSlopes((flat) => f(flat!), [x], found.graph.slice(1)));
    x.dispose();
  });
});

describe('attention in blocks of queries equals plain attention', () => {
  // 300 positions are two blocks; with a window of 40, the second does not see all keys of the first.
  const [rows, length, heads, repeat, headDim] = [2, 300, 4, 2, 4];
  const documentIds = Array.from({ length: rows * length }, (_, i) =>
    Math.floor((i % length) / (i < length ? 130 : 77)),
  );

  it.each([
    { window: 40, packed: true },
    { window: 40, packed: false },
    { window: null, packed: true },
  ])('for a window of $window, packed documents: $packed', async ({ window, packed }) => {
    const [q, kv] = [
      [rows, heads, length, headDim],
      [rows, heads / repeat, length, headDim],
    ];
    const inputs = [numbers(q!, 1), numbers(kv!, 2), numbers(kv!, 3)];
    const f = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor, ids: tf.Tensor | null) =>
      selfAttention(a, b, c, attentionPlan({ rows, length, window, repeat, documents: ids }));
    const documents = ints(documentIds, [rows, length]);
    const rest = packed ? [documents] : [];
    const found = await everyWay(
      withGradients((a, b, c, ids) => f(a!, b!, c!, ids ?? null), 3),
      [...inputs, ...rest],
    );
    expectAlike(found, ALIKE);
    const values = inputs.map((input) => input.dataSync());
    const shape = { rows, heads, kvHeads: heads / repeat, length, headDim, window: window ?? length };
    const wanted = denseAttention(shape, values, packed ? documentIds : null);
    expect(relativeDifference(found.graph[0]!, wanted)).toBeLessThan(1e-5);
    const eager = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) => f(a, b, c, packed ? documents : null);
    tf.tidy(() => expectSlopes((a, b, c) => eager(a!, b!, c!), inputs, found.xla.slice(1)));
    tf.dispose([...inputs, documents]);
  });
});

describe('cross-attention, four heads on two key-value heads', () => {
  const config = {
    hiddenSize: 16,
    layers: 1,
    heads: 4,
    kvHeads: 2,
    intermediateSize: 16,
    rmsNormEps: 1e-5,
    rope: { type: 'default', theta: 1e4 },
    maxPositions: 99,
    window: null,
  } as const satisfies TransformerConfig;
  const [slots, patches, hidden, kvWidth, headDim] = [2, 4, 16, 8, 4];
  // Patch 2 has no bytes.
  const patchOfByte = [0, 1, 1, 1, 3, 3, 0];
  const names = ['q_norm', 'k_norm', 'q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => `x.${name}.weight`);
  const weightShapes = [[hidden], [hidden], [hidden, hidden], [kvWidth, hidden], [kvWidth, hidden], [hidden, hidden]];

  const rowsOf = (x: ArrayLike<number>, width: number): number[][] =>
    Array.from({ length: x.length / width }, (_, i) => Array.from({ length: width }, (_, j) => x[i * width + j]!));
  const times = (x: number[], weight: ArrayLike<number>): number[] =>
    rowsOf(weight, x.length).map((row) => row.reduce((sum, value, i) => sum + value * x[i]!, 0));
  const normal = (x: number[], weight: ArrayLike<number>): number[] => {
    const inverse = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + config.rmsNormEps);
    return x.map((value, i) => value * inverse * weight[i]!);
  };

  /** transformers' BltCrossAttention with its doubled residual: `visible` says which sources a query sees. */
  function reference(
    queries: number[][],
    sources: number[][],
    weights: readonly ArrayLike<number>[],
    visible: (query: number) => number[],
  ): number[] {
    const [qNorm, kNorm, qProj, kProj, vProj, oProj] = weights as [
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
      ArrayLike<number>,
    ];
    const normed = sources.map((source) => normal(source, kNorm));
    const [keys, values] = [normed.map((x) => times(x, kProj)), normed.map((x) => times(x, vProj))];
    return queries.flatMap((row, at) => {
      const q = times(normal(row, qNorm), qProj);
      const seen = visible(at);
      const mixed = new Array<number>(hidden).fill(0);
      for (let head = 0; head < config.heads; head++) {
        const kv = Math.floor(head / (config.heads / config.kvHeads)) * headDim;
        const exponents = seen.map((source) => {
          let score = 0;
          for (let d = 0; d < headDim; d++) score += q[head * headDim + d]! * keys[source]![kv + d]!;
          return Math.exp(score / Math.sqrt(headDim));
        });
        const total = exponents.reduce((a, b) => a + b, 0);
        seen.forEach((source, i) => {
          for (let d = 0; d < headDim; d++)
            mixed[head * headDim + d]! += (exponents[i]! / total) * values[source]![kv + d]!;
        });
      }
      const out = times(mixed, oProj);
      return row.map((value, i) => 2 * value + out[i]!);
    });
  }

  const scaled = (shape: number[], salt: number) => tf.tidy(() => tf.mul(numbers(shape, salt), 0.4));

  it.each([
    {
      way: 'patches attend to their bytes',
      op: patchesAttendToBytes,
      shapes: [
        [patches * slots, hidden],
        [patchOfByte.length, hidden],
      ],
      visible: (query: number) => [...patchOfByte.keys()].filter((at) => patchOfByte[at] === Math.floor(query / slots)),
    },
    {
      way: 'bytes attend to their patch',
      op: ((bytes, rows, params, prefix, shape) =>
        bytesAttendToPatch(
          bytes,
          patchRowsOf(rows, params, prefix, shape.config, shape.slots),
          params,
          prefix,
          shape,
        )) as typeof patchesAttendToBytes,
      shapes: [
        [patchOfByte.length, hidden],
        [patches * slots, hidden],
      ],
      visible: (query: number) => [...Array(slots).keys()].map((slot) => patchOfByte[query]! * slots + slot),
    },
  ])('$way', async ({ op, shapes, visible }) => {
    const inputs = [...shapes, ...weightShapes].map((shape, i) => scaled(shape, i + 1));
    const byte = ints(patchOfByte);
    const f = (queries: tf.Tensor, sources: tf.Tensor, rest: tf.Tensor[], ids: tf.Tensor) => {
      const shape = { config, slots, patches, patchOfByte: ids };
      return op(queries, sources, paramsOf(names, rest), 'x', shape);
    };
    const body = withGradients((...all) => f(all[0]!, all[1]!, all.slice(2, -1), all.at(-1)!), inputs.length);
    const found = await everyWay(body, [...inputs, byte]);
    expectAlike(found, ALIKE);
    const [queries, sources, ...weights] = inputs.map((input) => input.dataSync());
    const wanted = reference(rowsOf(queries!, hidden), rowsOf(sources!, hidden), weights, visible);
    expect(relativeDifference(found.graph[0]!, wanted)).toBeLessThan(1e-5);
    tf.tidy(() => expectSlopes((a, b, ...rest) => f(a!, b!, rest, byte), inputs, found.graph.slice(1)));
    tf.dispose([...inputs, byte]);
  });

  describe('bytes attend to the only slot of their patch', () => {
    const USED = ['x.k_norm.weight', 'x.v_proj.weight', 'x.o_proj.weight'];
    const inputs = () =>
      [[patchOfByte.length, hidden], [patches, hidden], ...weightShapes].map((s, i) => scaled(s, i + 1));
    const attend = (queries: tf.Tensor, rows: tf.Tensor, params: Params, ids: tf.Tensor, count: number) => {
      const shape = { config, slots: count, patches, patchOfByte: ids };
      return bytesAttendToPatch(queries, patchRowsOf(rows, params, 'x', config, count), params, 'x', shape);
    };

    it('as the general formula says, with gradients for all that it depends on', async () => {
      const [queries, rows, ...weights] = inputs() as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
      const byte = ints(patchOfByte);
      const moved = [queries, rows, ...USED.map((name) => weights[names.indexOf(name)]!)];
      const f = ([bytes, slots, ...used]: readonly tf.Tensor[], ids: tf.Tensor) =>
        attend(bytes!, slots!, paramsOf(USED, used), ids, 1);
      const body = withGradients((...all) => f(all.slice(0, -1), all.at(-1)!), moved.length);
      const found = await everyWay(body, [...moved, byte]);
      expectAlike(found, ALIKE);
      const values = weights.map((weight) => weight.dataSync());
      const [q, s] = [queries, rows].map((x) => rowsOf(x.dataSync(), hidden));
      const wanted = reference(q!, s!, values, (query) => [patchOfByte[query]!]);
      expect(relativeDifference(found.graph[0]!, wanted)).toBeLessThan(1e-6);
      tf.tidy(() => expectSlopes((...all) => f(all, byte), moved, found.graph.slice(1)));
      tf.dispose([queries, rows, ...weights, byte]);
    });

    it('as to two equal slots', () => {
      tf.tidy(() => {
        const [queries, rows, ...weights] = inputs() as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
        const params = paramsOf(names, weights);
        const twice = tf.reshape(tf.stack([rows, rows], 1), [patches * 2, hidden]);
        const [one, two] = [
          attend(queries, rows, params, ints(patchOfByte), 1),
          attend(queries, twice, params, ints(patchOfByte), 2),
        ];
        expect(relativeDifference(one.dataSync(), two.dataSync())).toBeLessThan(1e-6);
      });
    });
  });
});
