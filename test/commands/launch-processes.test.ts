import { expect, it } from 'vitest';
import { causeOf, type End } from '../../src/commands/launch-processes.js';

const end = (rank: number, code: number | null): End => ({
  ...{ rank, code, said: '' },
  killedBy: code === null ? 'SIGKILL' : null,
});

it.each([
  { what: 'nothing, if all are done', ends: [end(1, 0), end(0, 0)], rank: undefined },
  { what: 'the first failure', ends: [end(2, 0), end(1, null), end(0, 1)], rank: 1 },
  { what: 'wrong usage, also if another process ended sooner', ends: [end(1, 1), end(0, 2)], rank: 0 },
])('the cause of the end is $what', ({ ends, rank }) => {
  expect(causeOf(ends)?.rank).toBe(rank);
});
