import { expect, it } from 'vitest';
import { watchSlowProcesses } from '../../../src/finetune/loop/slow-process.js';

/** What is said over some steps of the same times. */
function saidOver(steps: number, ms: readonly number[]) {
  const watch = watchSlowProcesses();
  return Array.from({ length: steps }, () => watch(ms)).filter((slow) => slow !== null);
}

it('a process that takes longer than the others is named once', () => {
  expect(saidOver(60, [100, 310, 100, 110])).toEqual([{ rank: 1, ratio: 3.1 }]);
  expect(saidOver(60, [100, 200])).toEqual([{ rank: 1, ratio: 2 }]);
});

it('nothing is said of equal processes, of one alone, or after few steps', () => {
  expect(saidOver(60, [100, 130, 100])).toEqual([]);
  expect(saidOver(60, [])).toEqual([]);
  expect(saidOver(19, [100, 900])).toEqual([]);
});
