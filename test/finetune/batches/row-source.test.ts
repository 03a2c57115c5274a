import { expect, it } from 'vitest';
import { openRows } from '../../../src/finetune/batches/row-source.js';
import { packerOf } from '../../support/training.js';

it('a source of given rows repeats them and reports its position', async () => {
  const rows = await packerOf(32).next(3);
  const source = await openRows({ kind: 'given', rows });
  expect(await source.next(2)).toEqual(rows.slice(0, 2));
  expect(source.state().place).toBe(2);
  expect(await source.next(2)).toEqual([rows[2], rows[0]]);
  await source.close();
});
