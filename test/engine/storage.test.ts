import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CompileMode,
  compile,
  createVariable,
  fuseUpdate,
  type Storage,
  signatureOf,
  startEngine,
  tf,
  type Variable,
  zeroVariable,
} from '../../src/engine/index.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The stored parts of a variable. */
function held(variable: Variable): Float32Array {
  return tf.tidy(() => variable.read().dataSync() as Float32Array);
}

function create(values: Float32Array, shape: readonly number[], storage: Storage): Variable {
  const initial = tf.tensor(values, [...shape]);
  const variable = createVariable(initial, storage);
  initial.dispose();
  return variable;
}

/** Values after storage in a variable. */
function through(storage: Storage, values: Float32Array, shape: readonly number[]): Float32Array {
  const variable = create(values, shape, storage);
  const found = held(variable);
  variable.dispose();
  return found;
}

/** Expects the same bits: -0 and 0 differ, NaN equals itself. */
const bits = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)];

/** Blocks as the documentation has them: the largest divisor of the last extent that is at most 256. */
function blockLength(width: number): number {
  for (let block = Math.min(256, width); ; block--) if (width % block === 0) return block;
}

/** Magnitudes over many decades, both signs, and zeros. The largest stay well above what float32 flushes to zero in the fourth power. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.double({ min: -18, max: 6, noNaN: true }), fc.boolean()) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const numberOf = (drawn: [number, boolean] | null) => (drawn === null ? 0 : (drawn[1] ? -1 : 1) * 10 ** drawn[0]);
const shapes: readonly (readonly number[])[] = [
  [],
  [1],
  [7],
  [256],
  [257],
  [300],
  [512],
  [3, 5],
  [2, 288],
  [4, 260],
  [2, 3, 24],
  [1, 1024],
];
const tensor = fc
  .constantFrom(...shapes)
  .chain((shape) =>
    fc
      .array(value, { minLength: size(shape), maxLength: size(shape) })
      .map((drawn) => ({ shape, values: Float32Array.from(drawn, numberOf) })),
  );

// Half a level's width is 1 / 254, and the slope of x^p is at most p: the rounding error relative to the block's largest magnitude.
describe.each<[Storage, number]>([
  ['int8-p2', 2],
  ['int8-p4', 4],
])('%s', (storage, power) => {
  it('is off by at most half a level, keeps signs, zeros and the largest value, and creates no new zeros', () => {
    fc.assert(
      fc.property(tensor, ({ shape, values }) => {
        const found = through(storage, values, shape);
        const block = blockLength(shape.at(-1) ?? 1);
        for (let from = 0; from < values.length; from += block) {
          const part = values.subarray(from, from + block);
          const largest = Math.max(...part.map(Math.abs));
          const smallest = largest * 127 ** -power;
          part.forEach((wanted, i) => {
            const got = found[from + i]!;
            expect(Math.sign(got) === Math.sign(wanted), `sign of ${got} for ${wanted} beside ${largest}`).toBe(true);
            // u is the p-th root, which is within half a level, so the error is largest at its own slope.
            const u = Math.min(1, (Math.abs(wanted) / (largest || 1)) ** (1 / power));
            const above = Math.min(1, u + 0.5001 / 127);
            const allowed =
              Math.max(largest * power * above ** (power - 1) * (0.5001 / 127), smallest) + largest * 1e-6;
            expect(Math.abs(got - wanted), `${wanted} beside ${largest}`).toBeLessThanOrEqual(allowed);
            if (Math.abs(wanted) === largest) expect(Math.abs(got)).toBeCloseTo(largest, 5 - Math.log10(largest || 1));
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is exact for values that were stored before, so a checkpoint loses nothing', () => {
    fc.assert(
      fc.property(tensor, ({ shape, values }) => {
        const once = through(storage, values, shape);
        expect(bits(through(storage, once, shape))).toEqual(bits(once));
      }),
      { numRuns: 60 },
    );
  });

  it('takes one byte per value and four per block', () => {
    const variable = zeroVariable([6, 1024], storage) as Variable & { resources: { native: { shape: number[] } }[] };
    expect(variable.resources.map(({ native }) => native.shape)).toEqual([
      [6, 1024],
      [6, 4],
    ]);
    variable.dispose();
  });

  it('is exact if the values are among its levels', () => {
    const exact = Float32Array.from({ length: 255 }, (_, i) => (i - 127) / 127).map(
      (u) => 3 * Math.sign(u) * Math.abs(u) ** power,
    );
    const found = through(storage, exact, [255]);
    exact.forEach((wanted, i) => {
      // XLA rounds a fused chain differently, by a few units in the last place.
      expect(Math.abs(found[i]! - wanted)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(wanted)));
    });
  });
});

/** The upper half of a float32, rounded to nearest, ties to even (IEEE 754). */
function roundedToBfloat16(values: Float32Array): Float32Array {
  const words = new Uint32Array(Float32Array.from(values).buffer);
  return new Float32Array(
    Uint32Array.from(words, (word) => {
      const kept = word >>> 16;
      const rest = word & 0xffff;
      const up = rest > 0x8000 || (rest === 0x8000 && (kept & 1) === 1);
      return (up ? kept + 1 : kept) << 16;
    }).buffer,
  );
}

describe('bfloat16', () => {
  it('rounds to nearest, ties to even', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      // ties, and their neighbours
      fc
        .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0x7fff, max: 0x8001 }))
        .map(([h, l]) => h * 65536 + l),
    );
    const normal = (w: number) => ((w >>> 23) & 255) !== 255 && ((w >>> 23) & 255) !== 0;
    fc.assert(
      fc.property(fc.array(word.filter(normal), { minLength: 1, maxLength: 400 }), (words) => {
        const values = new Float32Array(Uint32Array.from(words).buffer);
        expect(bits(through('bfloat16', values, [values.length]))).toEqual(bits(roundedToBfloat16(values)));
      }),
      { numRuns: 100 },
    );
  });
});

const STORAGES: readonly Storage[] = ['float32', 'bfloat16', 'int8-p2', 'int8-p4'];

describe.each(STORAGES)('rows of a variable in %s', (storage) => {
  it.each([[[9, 24]], [[9, 257]], [[9, 512]], [[7, 2, 6]]])(
    'of %j are read and written without changing a bit of the others',
    (shape) => {
      const [rows, width] = [shape[0]!, size(shape.slice(1))];
      const start = Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i * i) * 10 ** ((i % 17) - 8));
      const variable = create(start, shape, storage);
      const before = held(variable);
      const ids = [rows - 1, 0, 3];
      const next = Float32Array.from({ length: 3 * width }, (_, i) => Math.cos(i) * 10 ** ((i % 5) - 2));
      tf.tidy(() => {
        const at = tf.tensor1d(ids, 'int32');
        const gathered = variable.gatherRows(at).dataSync() as Float32Array;
        expect(bits(gathered)).toEqual(ids.flatMap((id) => bits(before.slice(id * width, (id + 1) * width))));
        variable.scatterRows(at, tf.tensor(next, [3, ...shape.slice(1)]));
      });
      const after = held(variable);
      const alone = through(storage, next, [3, ...shape.slice(1)]);
      for (let row = 0; row < rows; row++) {
        const place = ids.indexOf(row);
        const wanted =
          place < 0 ? before.slice(row * width, (row + 1) * width) : alone.slice(place * width, (place + 1) * width);
        expect(bits(after.slice(row * width, (row + 1) * width)), `row ${row}`).toEqual(bits(wanted));
      }
      variable.dispose();
    },
  );

  it.each<CompileMode>(['graph', 'xla'])('are the same in a traced function (%s)', async (mode) => {
    const shape = [6, 40];
    const start = Float32Array.from({ length: 240 }, (_, i) => (i % 7 === 0 ? 0 : Math.sin(i) * 10 ** ((i % 9) - 6)));
    const [eager, traced] = [create(start, shape, storage), create(start, shape, storage)];
    const ids = tf.tensor1d([4, 1], 'int32');
    const rows = tf.tensor(
      Float32Array.from({ length: 80 }, (_, i) => Math.cos(i) * 10 ** (i % 4)),
      [2, 40],
    );
    const halve = (variable: Variable, factor: tf.Tensor) => {
      fuseUpdate('halve', [variable], [factor], ([x], [f]) => [tf.mul(x!, f!)]);
    };
    const factor = tf.scalar(0.5);
    const spec = { shape: [], dtype: 'float32' as const };
    const functions = [
      compile(
        (f) => {
          halve(traced, f!);
          return [];
        },
        [spec],
        mode,
      ),
      compile(
        (to, values) => {
          traced.scatterRows(to!, values!);
          return [];
        },
        signatureOf([ids, rows]),
        mode,
      ),
      compile(() => [traced.read()], [], mode),
    ] as const;
    await functions[0].call([factor]);
    halve(eager, factor);
    await functions[1].call([ids, rows]);
    eager.scatterRows(ids, rows);
    const [read] = await functions[2].call([]);
    const wanted = held(eager);
    // XLA may round the last bit differently, but chooses the same level.
    for (const values of [held(traced), read!.dataSync() as Float32Array])
      expect(values.every((value, i) => Math.abs(value - wanted[i]!) <= 1e-6 * Math.abs(wanted[i]!))).toBe(true);
    tf.dispose([factor, ids, rows, read!]);
    for (const fn of functions) fn.dispose();
    eager.dispose();
    traced.dispose();
  });
});
