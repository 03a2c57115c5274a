import { describe, expect, it } from 'vitest';
import { wrappedLines } from './support/markdown.js';
import { repositoryTexts } from './support/repository-texts.js';

/** The output of `bench`, and pages that other tools write. */
const GENERATED = /^docs\/bench\//;
const pages = [...repositoryTexts('docs')].filter(([path]) => path.endsWith('.md') && !GENERATED.test(path));

it('no paragraph of README and docs is wrapped by hand', () => {
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap(([path, text]) => wrappedLines(text).map((line) => `${path}: ${line}`))).toEqual([]);
});

describe('the rule', () => {
  it.each([
    ['A paragraph that is\nwrapped.', ['wrapped.']],
    ['- An item that is\n  wrapped.', ['wrapped.']],
    ['1. First,\nand on.', ['and on.']],
  ])('finds %j', (text, found) => {
    expect(wrappedLines(`# Title\n\n${text}\n`)).toEqual(found);
  });

  it.each([
    'A paragraph.\n\nAnother.',
    'A list:\n- one\n- two\n  - below',
    '| a | b |\n| --- | --- |\n| c | d |',
    '```sh\na\nb\n```',
    'Text.\n```sh\na\n```',
    '<!-- a comment\nof two lines -->\n\nText.',
    '1. one\n2. two\n\n   of the second',
    '> quoted\n> twice',
  ])('allows %j', (text) => {
    expect(wrappedLines(`# Title\n\n${text}\n`)).toEqual([]);
  });
});
