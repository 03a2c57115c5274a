import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  compile,
  createVariable,
  type Engine,
  fuseUpdate,
  type InputSpec,
  type Storage,
  startEngine,
  tf,
  type Variable,
  zeroVariable,
} from '../../../src/engine/index.js';
import { COMPILED, ints, taken } from '../../support/modes.js';

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
const EVERY = COMPILED.flatMap((mode) => STORAGES.map((storage) => ({ mode, storage })));
const floats = (...shape: number[]): InputSpec => ({ shape, dtype: 'float32' });
const REPEATS = 20; // an undefined order would differ from run to run

function variableOf(values: readonly number[], shape: number[], storage: Storage = 'float32'): Variable {
  const initial = tf.tensor([...values], shape);
  const variable = createVariable(initial, storage);
  initial.dispose();
  return variable;
}

const valuesOf = (variable: Variable): number[] => [...taken([variable.read()])[0]!];

describe.each(COMPILED)('a traced function reads and changes a variable in program order (%s):', (mode) => {
  /** Calls the function with 1, 2, 3, ... and returns all results and the variable's value after each. */
  async function calls(body: (variable: Variable, x: tf.Tensor) => tf.Tensor[]): Promise<number[][]> {
    const variable = zeroVariable([1]);
    const compiled = compile((x) => body(variable, x!), [floats(1)]);
    const found: number[][] = [];
    for (let i = 1; i <= REPEATS; i++) {
      const x = tf.tensor1d([i]);
      const out = taken(await compiled.call([x], mode)).map((values) => values[0]!);
      found.push([...out, valuesOf(variable)[0]!]);
      x.dispose();
    }
    compiled.dispose();
    variable.dispose();
    return found;
  }
  const wanted = (of: (i: number) => number[]) => Array.from({ length: REPEATS }, (_, i) => of(i + 1));

  it('an assignment, then a read', async () => {
    const found = await calls((variable, x) => {
      variable.assign(x);
      return [variable.read()];
    });
    expect(found).toEqual(wanted((i) => [i, i]));
  });

  it('a read, then an assignment', async () => {
    const found = await calls((variable, x) => {
      const old = variable.read();
      variable.assign(x);
      return [old];
    });
    expect(found).toEqual(wanted((i) => [i - 1, i]));
  });

  it('two assignments', async () => {
    const found = await calls((variable, x) => {
      variable.assign(x);
      variable.assign(tf.add(x, 100));
      return [];
    });
    expect(found).toEqual(wanted((i) => [i + 100]));
  });

  it('using it after a fused update, which is refused', () => {
    const variable = zeroVariable([1]);
    const again = () =>
      compile(
        (x) => {
          fuseUpdate('order', [variable], [x!], ([value], [by]) => [tf.add(value!, by!)]);
          return [variable.read()];
        },
        [floats(1)],
      );
    expect(again).toThrow(/after a fused update/);
    variable.dispose();
  });

  it('an update of two variables from each other', async () => {
    const [a, b] = [variableOf([1, 2], [2]), variableOf([10, 20], [2])];
    const compiled = compile(() => {
      fuseUpdate('swap', [a, b], [], ([x, y]) => [y!, x!]);
      return [];
    }, []);
    await compiled.call([], mode);
    expect([valuesOf(a), valuesOf(b)]).toEqual([
      [10, 20],
      [1, 2],
    ]);
    compiled.dispose();
    a.dispose();
    b.dispose();
  });
});

describe.each(EVERY)('rows of a variable in a traced function ($mode, $storage)', ({ mode, storage }) => {
  it('are gathered and replaced', async () => {
    const variable = variableOf([1, 2, 3, 4, 5, 6], [3, 2], storage);
    const compiled = compile(
      (ids) => {
        const rows = variable.gatherRows(ids!);
        variable.scatterRows(ids!, tf.mul(rows, 2));
        return [rows];
      },
      [{ shape: [2], dtype: 'int32' }],
    );
    const ids = ints([2, 0]);
    const [rows] = taken(await compiled.call([ids], mode));
    expect([...rows!]).toEqual([5, 6, 1, 2]);
    expect(valuesOf(variable)).toEqual([2, 4, 3, 4, 10, 12]);
    ids.dispose();
    compiled.dispose();
    variable.dispose();
  });
});

describe('a failed update', () => {
  it('of rows of a bfloat16 variable leaks nothing', () => {
    const variable = zeroVariable([3, 2], 'bfloat16');
    const [ids, rows] = [ints([3]), tf.ones([1, 2])];
    expect(() => tf.tidy(() => variable.scatterRows(ids, rows))).toThrow(/not in \[0, 3\)/);
    tf.dispose([ids, rows]);
    variable.dispose();
  });
});
