import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTree } from './support/import-graph.js';
import { codeSpansOf } from './support/markdown.js';
import { REPOSITORY } from './support/repository-texts.js';

const PAGE = readFileSync(join(REPOSITORY, 'docs/troubleshooting.md'), 'utf8');
const SOURCES = [...readTree(join(REPOSITORY, 'src')).values()].join('\n');

/** The messages in the first cells of the page's tables. */
const messages = PAGE.split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => codeSpansOf(line)[0]!);

/** The constant parts of a message, between its <placeholders>. */
const fixedParts = (message: string) => message.split(/<[^>]+>/).filter((part) => part !== '');

it('docs/troubleshooting.md has messages that are long enough to be found', () => {
  expect(messages.length).toBeGreaterThan(30);
  expect(messages.filter((message) => fixedParts(message).join('').length < 15)).toEqual([]);
});

it('docs/troubleshooting.md quotes what the code prints', () => {
  const wrong = messages.filter((message) => fixedParts(message).some((part) => !SOURCES.includes(part)));
  expect(wrong).toEqual([]);
});
