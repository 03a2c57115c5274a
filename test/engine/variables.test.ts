import fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  compile,
  createVariable,
  type Engine,
  fuseUpdate,
  type Storage,
  startEngine,
  tf,
  type Variable,
  zeroVariable,
} from '../../src/engine/index.js';
import { ON_OPENXLA } from '../support/executor.js';
import { COMPILED, ints, MODES, type Mode, taken } from '../support/modes.js';

let engine: Engine;
let before = 0;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});
beforeEach(() => {
  before = engine.liveHandles();
});
afterEach(() => {
  expect(engine.liveHandles(), 'handles are left').toBe(before);
});

const STORAGES: readonly Storage[] = ['float32', 'bfloat16'];
const EVERY = MODES.flatMap((mode) => STORAGES.map((storage) => ({ mode, storage })));

/** bfloat16 by its definition: the upper 16 bits of a float32, rounded to nearest, ties to even (IEEE 754, 4.3.1). */
function bfloat16(value: number): number {
  const [word] = new Uint32Array(Float32Array.of(value).buffer) as unknown as [number];
  const upper = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(Uint32Array.of(upper).buffer)[0]!;
}

const rounded = (values: readonly number[], storage: Storage) =>
  values.map((value) => (storage === 'float32' ? Math.fround(value) : bfloat16(value)));

function variableOf(values: readonly number[], shape: number[], storage: Storage = 'float32'): Variable {
  const initial = tf.tensor([...values], shape);
  const variable = createVariable(initial, storage);
  initial.dispose();
  return variable;
}

const valuesOf = (variable: Variable): number[] => [...taken([variable.read()])[0]!];

/** Runs `body` on tensors in one of the modes, and releases them. */
async function run(mode: Mode, body: (...inputs: tf.Tensor[]) => tf.Tensor[], inputs: tf.Tensor[]) {
  const signature = inputs.map(({ shape, dtype }) => ({ shape, dtype: dtype as 'float32' | 'int32' }));
  if (mode === 'eager') {
    const out = taken(tf.tidy(() => body(...inputs)));
    tf.dispose(inputs);
    return out;
  }
  const compiled = compile(body, signature);
  const out = taken(await compiled.call(inputs, mode));
  compiled.dispose();
  tf.dispose(inputs);
  return out;
}

const VALUES = [1.001, -2.345, 3e-8, 1e20, 5, -0.6];

describe.each(EVERY)('a variable, $mode, $storage', ({ mode, storage }) => {
  it('is read as it was created, rounded to its storage', async () => {
    const variable = variableOf(VALUES, [3, 2], storage);
    expect([variable.shape, variable.storage]).toEqual([[3, 2], storage]);
    const [read] = await run(mode, () => [variable.read()], []);
    expect([...read!]).toEqual(rounded(VALUES, storage));
    variable.dispose();
  });

  it('can be assigned a value, which still belongs to the caller', async () => {
    const variable = zeroVariable([2, 3], storage);
    expect(valuesOf(variable)).toEqual([0, 0, 0, 0, 0, 0]);
    const given = await run(
      mode,
      (x) => {
        variable.assign(x!);
        return [tf.mul(x!, 1)];
      },
      [tf.tensor(VALUES, [2, 3])],
    );
    expect([...given[0]!]).toEqual(rounded(VALUES, 'float32'));
    expect(valuesOf(variable)).toEqual(rounded(VALUES, storage));
    variable.dispose();
  });

  it('is updated in place from its own value and inputs', async () => {
    const [a, b] = [variableOf([1, 2], [2], storage), variableOf([10.1, 20], [2], storage)];
    const [norm] = await run(
      mode,
      (by) => {
        // Both read both: the value assigned first must not be the one that the other reads.
        fuseUpdate('cross', [a, b], [by!], ([x, y], [z]) => [tf.add(x!, tf.mul(y!, z!)), tf.sub(y!, tf.mul(x!, z!))]);
        return [tf.sum(by!)];
      },
      [tf.tensor1d([0.5, 2])],
    );
    expect([...norm!]).toEqual([2.5]);
    const [held] = rounded([10.1], storage) as [number];
    expect(valuesOf(a)).toEqual(rounded([1 + held / 2, 42], storage));
    expect(valuesOf(b)).toEqual(rounded([held - 0.5, 16], storage));
    a.dispose();
    b.dispose();
  });

  it('is updated in place while more results are returned unrounded', async () => {
    const variable = variableOf([1, 2], [2], storage);
    const [twice] = await run(
      mode,
      (by) => {
        const [found] = fuseUpdate('and twice', [variable], [by!], ([x], [y]) => {
          const next = tf.add(x!, y!);
          return [next, tf.mul(next, 2)];
        });
        return [tf.mul(found!, 1)];
      },
      [tf.tensor1d([0.125, 0.001])],
    );
    expect(valuesOf(variable)).toEqual(rounded([1.125, 2.001], storage));
    expect([...twice!]).toEqual(rounded([2.25, 4.002], 'float32'));
    variable.dispose();
  });
});

describe.each(STORAGES)('rows of a variable, %s', (storage) => {
  it('are gathered with repeats in any order, and replaced without changing the others', () => {
    const variable = variableOf(VALUES, [3, 2], storage);
    const held = rounded(VALUES, storage);
    const [ids, to, rows] = [ints([2, 0, 2]), ints([2, 0]), tf.tensor2d([7.77, 8, 9, -1.003], [2, 2])];
    const found = taken([variable.gatherRows(ids)])[0]!;
    expect([...found]).toEqual([...held.slice(4), ...held.slice(0, 2), ...held.slice(4)]);
    variable.scatterRows(to, rows);
    expect([...rows.dataSync()]).toEqual(rounded([7.77, 8, 9, -1.003], 'float32'));
    const wanted = rounded([9, -1.003], storage).concat(held.slice(2, 4), rounded([7.77, 8], storage));
    expect(valuesOf(variable)).toEqual(wanted);
    tf.dispose([ids, to, rows]);
    variable.dispose();
  });

  it('of several axes keep their shape', () => {
    const variable = variableOf(VALUES, [3, 1, 2], storage);
    const [ids, rows] = [ints([1]), tf.ones([1, 1, 2])];
    const gathered = variable.gatherRows(ids);
    expect(gathered.shape).toEqual([1, 1, 2]);
    variable.scatterRows(ids, rows);
    expect(valuesOf(variable).slice(2, 4)).toEqual([1, 1]);
    tf.dispose([ids, rows, gathered]);
    variable.dispose();
  });
});

// On OpenXLA, reads of rows that do not exist are moved to rows that do, and writes are dropped.
describe.skipIf(ON_OPENXLA)('rows that a variable does not have', () => {
  it('are refused with a message, and nothing changes', () => {
    const variable = variableOf(VALUES, [3, 2]);
    const [ids, rows] = [ints([3]), tf.ones([1, 2])];
    expect(() => tf.tidy(() => variable.gatherRows(ids))).toThrow(/indices\[0\] = 3 is not in \[0, 3\)/);
    expect(() => tf.tidy(() => variable.scatterRows(ids, rows))).toThrow(/indices\[0\] = 3 is not in \[0, 3\)/);
    expect(valuesOf(variable)).toEqual(rounded(VALUES, 'float32'));
    tf.dispose([ids, rows]);
    variable.dispose();
  });
});

describe('rows while a function is traced', () => {
  it.each(STORAGES)('are replaced: graph, %s', async (storage) => {
    const variable = variableOf(VALUES, [3, 2], storage);
    const body = (ids: tf.Tensor, rows: tf.Tensor) => {
      variable.scatterRows(ids, tf.mul(rows, 2));
      return [];
    };
    await run('graph', (ids, rows) => body(ids!, rows!), [ints([2, 0]), tf.tensor2d([1.5, 2.5, 3.5, 4.5], [2, 2])]);
    expect(valuesOf(variable)).toEqual([7, 9, ...rounded(VALUES, storage).slice(2, 4), 3, 5]);
    variable.dispose();
  });
});

describe('bfloat16', () => {
  it('is stored as the upper half of a float32, with ties to even', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 127, min: -(2 ** 127) });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 50 }), (values) => {
        const variable = variableOf(values, [values.length], 'bfloat16');
        // Denormals may be flushed to zero.
        const clear = (all: readonly number[]) => all.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x));
        expect(clear(valuesOf(variable)).map((x) => x + 0)).toEqual(
          clear(rounded(values, 'bfloat16')).map((x) => x + 0),
        );
        variable.dispose();
      }),
      { numRuns: 50 },
    );
  });

  it('rounds the tie 1 + 1/256 down to 1, and 1 + 3/256 up to 1 + 4/256', () => {
    const variable = variableOf([1 + 1 / 256, 1 + 3 / 256, 1 + 1.01 / 256], [3], 'bfloat16');
    expect(valuesOf(variable)).toEqual([1, 1 + 4 / 256, 1 + 2 / 256]);
    variable.dispose();
  });
});

describe('a value that was read', () => {
  it.each(STORAGES)('is unchanged when the variable is assigned or disposed: %s', async (storage) => {
    const variable = variableOf([1, 2, 3, 4], [2, 2], storage);
    const compiled = compile(() => {
      fuseUpdate('one more', [variable], [], ([x]) => [tf.add(x!, 1)]);
      return [];
    }, []);
    const reader = compile(() => [variable.read()], []);
    const [ids, row] = [ints([1]), tf.ones([1, 2])];
    const held = [variable.read(), ...(await reader.call([], 'graph')), ...(await reader.call([], 'xla'))];
    variable.scatterRows(ids, row);
    for (const mode of COMPILED) await compiled.call([], mode);
    expect(valuesOf(variable)).toEqual([3, 4, 3, 3]);
    compiled.dispose();
    reader.dispose();
    variable.dispose();
    for (const values of taken(held)) expect([...values]).toEqual([1, 2, 3, 4]);
    tf.dispose([ids, row]);
  });
});

describe('a compiled function', () => {
  it.each(COMPILED)('sees values that are assigned to a variable between its calls: %s', async (mode) => {
    const variable = variableOf([1, 2], [2]);
    const compiled = compile((x) => [tf.mul(x!, variable.read())], [{ shape: [2], dtype: 'float32' }]);
    const x = tf.tensor1d([10, 10]);
    const call = async () => [...taken(await compiled.call([x], mode))[0]!];
    expect(await call()).toEqual([10, 20]);
    const next = tf.tensor1d([5, 6]);
    variable.assign(next);
    next.dispose();
    expect(await call()).toEqual([50, 60]);
    const [ids, row] = [ints([1]), tf.tensor1d([7])];
    variable.scatterRows(ids, row);
    expect(await call()).toEqual([50, 70]);
    tf.dispose([x, ids, row]);
    compiled.dispose();
    variable.dispose();
  });

  it.each(COMPILED)('runs each time even if it only changes a variable and returns nothing: %s', async (mode) => {
    const variable = zeroVariable([]);
    const compiled = compile(() => {
      variable.assign(tf.add(variable.read(), 1));
      return [];
    }, []);
    for (let i = 0; i < 5; i++) expect(await compiled.call([], mode)).toEqual([]);
    expect(valuesOf(variable)).toEqual([5]);
    compiled.dispose();
    variable.dispose();
  });

  it('shares a fused update among variables of equal shape, each with its own value', async () => {
    const some = [1, 2, 3].map((value) => variableOf([value, value], [2]));
    const compiled = compile(
      (by) => {
        for (const variable of some) fuseUpdate('times', [variable], [by!], ([x], [y]) => [tf.mul(x!, y!)]);
        return [];
      },
      [{ shape: [], dtype: 'float32' }],
    );
    const ten = tf.scalar(10);
    await compiled.call([ten], 'graph');
    await compiled.call([ten], 'xla');
    expect(some.map(valuesOf)).toEqual([
      [100, 100],
      [200, 200],
      [300, 300],
    ]);
    ten.dispose();
    compiled.dispose();
    for (const variable of some) variable.dispose();
  });

  it('reads what a gradient needs from variables', async () => {
    const weight = variableOf([2, -3], [2]);
    for (const mode of MODES) {
      const body = (x: tf.Tensor) => [tf.grad((w: tf.Tensor) => tf.sum(tf.mul(tf.square(w), x)))(weight.read())];
      const [gradient] = await run(mode, (x) => body(x!), [tf.tensor1d([1, 10])]);
      expect([...gradient!], mode).toEqual([4, -60]);
    }
    weight.dispose();
  });
});
