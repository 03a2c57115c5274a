import { expect, it } from 'vitest';
import { microBatchesOf } from '../../../src/finetune/batches/micro-batches.js';
import { packerOf } from '../../support/training.js';

it('microBatchesOf splits rows into micro-batches of equal size and pads the last with empty rows of weight 0', async () => {
  const rows = await packerOf(32).next(5);
  const micros = microBatchesOf(rows, 2);
  expect(micros.map((micro) => micro.length)).toEqual([2, 2, 2]);
  expect(micros.flat().slice(0, 5)).toEqual(rows);
  const { ids, weights, documents, byteCount, number } = micros[2]![1]!;
  expect([ids.length, weights.some((weight) => weight !== 0), documents, byteCount, number]).toEqual([
    32,
    false,
    [],
    0,
    -1,
  ]);
  expect(microBatchesOf(rows, 5)).toEqual([rows]);
});
