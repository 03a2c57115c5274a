import { expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import { parseJson } from '../../src/fs/index.js';

const errorOf = (text: string): ByteifyError => {
  try {
    parseJson(text, 'my-model/config.json', 'Download it again.');
  } catch (error) {
    expect(error).toBeInstanceOf(ByteifyError);
    return error as ByteifyError;
  }
  throw new Error('it was parsed');
};

it('gives what JSON says, whatever words its texts hold', () => {
  expect(parseJson('{"a": "NaN, None", "b": [1e3, null]}', '', '')).toEqual({ a: 'NaN, None', b: [1000, null] });
});

it.each([
  ['{"a": 1,\n"rope_theta": NaN}', 'line 2 has NaN'],
  ['{"a": Infinity}', 'line 1 has Infinity'],
  ['{"a": "NaN \\" None",\n\n"b": -Infinity}', 'line 3 has -Infinity'],
  ['{"a": True}', 'line 1 has True'],
  ['{"a": None}', 'line 1 has None'],
])('%j is Python’s', (text, reason) => {
  const { message, hint } = errorOf(text);
  expect(message).toBe(`my-model/config.json is not JSON: ${reason}, which Python writes and JSON does not have.`);
  expect(hint).toMatch(/null, true or false/);
});

it.each([
  [
    'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n',
    'my-model/config.json is a git-lfs pointer: the file that it stands for was not downloaded.',
    /git lfs pull/,
  ],
  [' \n', 'my-model/config.json is empty.', /Download it again/],
  ['{"a": "None', 'my-model/config.json is not JSON.', /Download it again/],
  ['<html>', 'my-model/config.json is not JSON.', /Download it again/],
])('%j is told by its name', (text, message, hint) => {
  expect(errorOf(text)).toMatchObject({ message, hint: expect.stringMatching(hint) });
});
