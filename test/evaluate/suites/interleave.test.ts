import { describe, expect, it } from 'vitest';
import { interleaved } from '../../../src/evaluate/suites/interleave.js';
import { collected } from '../../support/suite-items.js';

function* upTo(name: string, count: number) {
  for (let i = 1; i <= count; i++) yield `${name}${i}`;
}

describe('interleaved tasks', () => {
  it('take turns until each has given as many items as the limit or ended', async () => {
    const of = (limit: number) => collected(interleaved([upTo('a', 5), upTo('b', 1), upTo('c', 9)], limit));
    expect(await of(3)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3', 'c3']);
    expect((await of(8)).slice(0, 7)).toEqual(await of(3));
    expect(await of(0)).toEqual([]);
  });
});
