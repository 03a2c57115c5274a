import { describe, expect, it } from 'vitest';
import { withoutAtomicGroups } from '../../../src/tokenizer/encoding/atomic-groups.js';

const matchesOf = (source: string, text: string) =>
  [...text.matchAll(new RegExp(withoutAtomicGroups(source), 'gu'))].map(([match]) => match);

describe('an atomic group or a possessive quantifier never backtracks:', () => {
  it.each([
    ['(?>a|ab)c', 'ac abc', ['ac']],
    ['a++a', 'aaa', []],
    ['a*+b', 'aab b', ['aab', 'b']],
    ['[ab]?+b', 'ab b', ['ab']],
    ['(?:a|b)++b', 'abab', []],
    ['\\p{L}++\\p{N}', 'ab1 c', ['ab1']],
    ['(?>(?>a|ab)c|x)y', 'acy abcy xy', ['acy', 'xy']],
    ['[a\\]+]++x', 'a]+x', ['a]+x']],
  ])('%s in %j', (source, text, matches) => {
    expect(matchesOf(source, text)).toEqual(matches);
  });
});

it.each(['a+?b', 'a{2,3}b', '[+*]+', '\\++', 'x(?=a)|(?<!b)c', "(?i:'s)| ?\\p{L}+"])('%s is not changed', (source) => {
  expect(withoutAtomicGroups(source)).toBe(source);
});
