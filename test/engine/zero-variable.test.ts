import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { chunksOf, type Engine, startEngine, tf, type Variable, zeroVariable } from '../../src/engine/index.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  // Memory that the engine allocates once is not counted below.
  const variable = zeroVariable([1024, 1024]);
  scatterOnes(variable, [0]);
  variable.dispose();
});

/** Memory of this process in megabytes: VmSize is address space, VmRSS is resident memory. */
function megabytes(what: 'VmSize' | 'VmRSS'): number {
  const line = new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line![1]) / 1024;
}

const ROWS = 2 ** 18;
const WIDTH = 1024;
const GIGABYTE: readonly [number, number] = [ROWS, WIDTH];

function scatterOnes(variable: Variable, rows: readonly number[]): void {
  tf.tidy(() => {
    variable.scatterRows(tf.tensor1d([...rows], 'int32'), tf.ones([rows.length, WIDTH]));
  });
}

/** The rows with any nonzero value, in order. */
function rowsNotZero(variable: Variable): number[] {
  const value = variable.read();
  const found: number[] = [];
  let row = 0;
  for (const chunk of chunksOf(value)) {
    const words = new BigUint64Array(chunk.buffer, chunk.byteOffset, chunk.length / 8);
    for (let at = 0; at < words.length; at += WIDTH / 2, row++)
      if (words.subarray(at, at + WIDTH / 2).some((word) => word !== 0n)) found.push(row);
  }
  value.dispose();
  return found;
}

describe.runIf(process.platform === 'linux')('a gigabyte of zeros', () => {
  it('takes almost no memory until it is written to, and reads as zeros', () => {
    const before = megabytes('VmRSS');
    const variable = zeroVariable(GIGABYTE);
    expect(megabytes('VmRSS') - before).toBeLessThan(50);
    expect(rowsNotZero(variable)).toEqual([]);
    variable.dispose();
  });

  it('takes memory only for the rows that are read and written', () => {
    const before = megabytes('VmRSS');
    const variable = zeroVariable(GIGABYTE);
    const rows = Array.from({ length: 1000 }, (_, i) => i * 262);
    tf.tidy(() => {
      variable.gatherRows(tf.tensor1d(rows, 'int32'));
    });
    scatterOnes(variable, rows);
    expect(megabytes('VmRSS') - before).toBeLessThan(100);
    variable.dispose();
  });

  it('keeps zeros in all other rows when a thousand rows are written', () => {
    const variable = zeroVariable(GIGABYTE);
    const written = Array.from({ length: 1000 }, (_, i) => (i * 262 + (i % 3)) % ROWS);
    // The first and the last page, too.
    written.push(0, ROWS - 1);
    scatterOnes(variable, written);
    expect(rowsNotZero(variable)).toEqual([...new Set(written)].sort((a, b) => a - b));
    variable.dispose();
  });

  it('is zero even in memory that was used before', () => {
    for (let i = 0; i < 2; i++) {
      const variable = zeroVariable([ROWS / 8, WIDTH]);
      expect(rowsNotZero(variable)).toEqual([]);
      scatterOnes(
        variable,
        Array.from({ length: ROWS / 8 }, (_, row) => row),
      );
      variable.dispose();
    }
  });

  it('frees its address space when it is disposed', () => {
    const handles = engine.liveHandles();
    const before = megabytes('VmSize');
    for (let i = 0; i < 12; i++) zeroVariable(GIGABYTE).dispose();
    // TensorFlow may keep a block or two for later allocations.
    expect(megabytes('VmSize') - before).toBeLessThan(3500);
    expect(engine.liveHandles()).toBe(handles);
  });

  it.each(['bfloat16', 'int8-p2', 'int8-p4'] as const)('is as cheap in %s', (storage) => {
    const before = megabytes('VmRSS');
    const variable = zeroVariable(GIGABYTE, storage);
    expect(megabytes('VmRSS') - before).toBeLessThan(50);
    const rows = tf.tidy(() => variable.gatherRows(tf.tensor1d([0, 77, ROWS - 1], 'int32')).dataSync());
    expect(rows.every((value) => value === 0)).toBe(true);
    variable.dispose();
  });
});
