import { expect, it } from 'vitest';
import { parseModelId } from '../../src/hub/index.js';

const commit = 'a'.repeat(40);

it.each([
  ['HuggingFaceTB/SmolLM2-135M', 'HuggingFaceTB/SmolLM2-135M', 'main'],
  ['org/name@v1.0', 'org/name', 'v1.0'],
  ['org/name@refs/pr/1', 'org/name', 'refs/pr/1'],
  [`org/name@${commit}`, 'org/name', commit],
])('%s is parsed as an id', (text, id, revision) => {
  expect(parseModelId(text)).toEqual({ id, revision });
});

it.each([
  'name',
  '',
  '/',
  'org/',
  'org/name/file',
  'org/na me',
  'org/..',
  'a--b/c',
  'org/-x',
  'org/name?x',
  'org/näme',
])('%j is refused as an id', (text) => {
  expect(() => parseModelId(text)).toThrow(`"${text}" is neither a path that exists nor a hub id.`);
});

it.each(['', '../x', 'a/../b', '/etc', 'a b', 'a?b', 'a#b', 'a\\b', 'a@b', 'a//b', '.hidden', 'a.lock', 'a/'])(
  '%j is refused as a revision',
  (revision) => {
    expect(() => parseModelId(`org/name@${revision}`)).toThrow(`"${revision}" cannot be a revision of org/name.`);
  },
);
