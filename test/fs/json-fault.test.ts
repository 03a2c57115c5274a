import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFault } from '../../src/fs/json-fault.js';

describe('what is wrong in a text that is no JSON', () => {
  it.each([
    ['{"text": "a", "score": NaN}', 'NaN, which Python writes and JSON does not allow'],
    ['{"score": -Infinity}', '-Infinity, which Python writes'],
    ["{'text': 'a'}", 'single quotes, as Python prints a dict'],
    ["{u'text': u'a'}", 'single quotes, as Python prints a dict'],
    ['{"kept": True}', 'True, as Python prints a dict'],
    ['{"next": None}', 'None, as Python prints a dict'],
    ['{"text": "a",}', 'a trailing comma'],
    ['[1, 2,]', 'a trailing comma'],
    ['{"text": "a" "b": 1}', 'a missing comma between two values'],
    ['{"text": "a"} {"text": "b"}', 'unexpected text after the end of the value'],
    ['{"text": "a"},', 'unexpected text after the end of the value'],
    ['{"text" "a"}', 'a missing colon after a key'],
    ['{"text": "a", 3: 4}', 'a missing key'],
    ['{"text"}', 'a key without a value'],
    ['{"text": ,}', 'a comma where a value is expected'],
    ['{text: "a"}', 'an unquoted word'],
    ['{"text": "a" // the text\n}', 'a comment, which JSON does not allow'],
    ['{“text”: 1}', 'typographic quotes'],
    ['{"text": 01}', 'an invalid number'],
    ['{"text": .5}', 'an invalid number'],
    ['{"text": 1.}', 'an invalid number'],
    ['{"text": "a\tb"}', 'a raw control character in a string'],
    ['{"text": "a\0b"}', 'a zero byte in a string'],
    ['\0\0\0\0', 'a zero byte, as in an incompletely written file'],
    ['\x1b[0m', 'a control character, as in an incompletely written file'],
    ['\uFEFF{}', 'a byte order mark'],
    ['{"text": "a\\x41b"}', 'an invalid escape sequence'],
    ['{"text": "a\\u00zz"}', 'an invalid escape sequence'],
    ['{"text": "a', 'it is truncated inside a string'],
    ['{"text": "a\\', 'it is truncated inside a string'],
    ['{"text": "a\\u00', 'it is truncated inside a string'],
    ['{"text": "a", "n": [1, 2', 'it is truncated'],
    ['{"text": ', 'it is truncated'],
    ['{"text": "a"]', 'an unmatched ]'],
    ['<html>', 'an unexpected character'],
  ])('is told of %j', (text, fault) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonFault(text).what).toContain(fault);
  });

  it('is told with its place', () => {
    expect(jsonFault('{\n  "a": 1,\n  "b": 01\n}')).toEqual({ what: 'an invalid number', line: 2, character: 8 });
    expect(jsonFault('{\n  "a": 1,')).toEqual({ what: 'it is truncated', line: 1, character: null });
  });

  const damage = fc.record({
    value: fc.jsonValue(),
    at: fc.nat(),
    put: fc.constantFrom('', '"', '{', ']', ',', 'x', '\\', '0'),
  });

  it('is found in any damaged JSON, and ends its search', () => {
    fc.assert(
      fc.property(damage, ({ value, at, put }) => {
        const json = JSON.stringify(value);
        const place = at % json.length;
        const text = json.slice(0, place) + put + json.slice(place + 1);
        try {
          JSON.parse(text);
        } catch {
          // Were it taken for whole, the end would be the fault.
          const { what: fault } = jsonFault(text);
          if (fault === 'it is truncated') expect(() => JSON.parse(`${text}"]}`)).toThrow();
          expect(fault).not.toBe('');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
