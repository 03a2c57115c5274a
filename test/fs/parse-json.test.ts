import { expect, it } from 'vitest';
import { explainJson, parseJson } from '../../src/fs/parse-json.js';

it('gives the value, or names the file, the fault and its place', () => {
  expect(parseJson('[1, null]', 'a.json', 'Write it again.')).toEqual([1, null]);
  expect(() => parseJson('{\n "a": None}', 'a.json', 'Write it again.')).toThrow(
    expect.objectContaining({
      message:
        'a.json is not JSON: None, as Python prints a dict; JSON has true, false and null, at character 7 of line 2.',
      hint: 'Write it again.',
    }),
  );
});

it('names no place where the end is missing', () => {
  expect(explainJson('{"a": 1')).toBe('it is truncated');
});
