import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFault } from '../../src/data/json-fault.js';

describe('what is wrong in a text that is no JSON', () => {
  it.each([
    ['{"text": "a", "score": NaN}', 'NaN and Infinity, which Python writes, are no numbers of JSON, at character 24'],
    ['{"score": -Infinity}', 'NaN and Infinity'],
    ["{'text': 'a'}", 'single quotes, as Python prints a dict'],
    ["{u'text': u'a'}", 'single quotes, as Python prints a dict'],
    ['{"kept": True}', 'True, False and None are Python’s'],
    ['{"next": None}', 'True, False and None are Python’s'],
    ['{"text": "a",}', 'a comma with nothing after it, at character 14'],
    ['[1, 2,]', 'a comma with nothing after it'],
    ['{"text": "a" "b": 1}', 'no comma between two values'],
    ['{"text": "a"} {"text": "b"}', 'something after its end, at character 15'],
    ['{"text": "a"},', 'something after its end'],
    ['{"text" "a"}', 'no colon after a key'],
    ['{"text": "a", 3: 4}', 'no key where one must stand'],
    ['{"text"}', 'a key without a value'],
    ['{"text": ,}', 'a comma where a value must stand'],
    ['{text: "a"}', 'a word without quotes, at character 2'],
    ['{"text": "a" // the text\n}', 'a comment, which JSON has not'],
    ['{“text”: 1}', 'typographic quotes'],
    ['{"text": 01}', 'a number that is not written as JSON has it'],
    ['{"text": .5}', 'a number that is not written as JSON has it'],
    ['{"text": 1.}', 'a number that is not written as JSON has it'],
    ['{"text": "a\tb"}', 'a raw control character in a string, at character 12'],
    ['{"text": "a\0b"}', 'a zero byte in a string'],
    ['\0\0\0\0', 'a control character, as in a file that was not written to its end'],
    ['{"text": "a\\x41b"}', 'an escape that JSON has not'],
    ['{"text": "a\\u00zz"}', 'an escape that JSON has not'],
    ['{"text": "a', 'it is cut off inside a string'],
    ['{"text": "a\\', 'it is cut off inside a string'],
    ['{"text": "a\\u00', 'it is cut off inside a string'],
    ['{"text": "a", "n": [1, 2', 'it is cut off'],
    ['{"text": ', 'it is cut off'],
    ['{"text": "a"]', 'a ] that closes nothing'],
    ['<html>', 'a character that begins nothing in JSON'],
  ])('is told of %j', (text, fault) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(jsonFault(text).what).toContain(fault);
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
          if (fault === 'it is cut off') expect(() => JSON.parse(`${text}"]}`)).toThrow();
          expect(fault).not.toBe('');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
