import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headingsOf } from './support/markdown.js';
import { REPOSITORY, repositoryTexts } from './support/repository-texts.js';

/** `blt-format 1.4`, `blt-format 1.2, 4.2`, `docs/blt-format.md 3.1 to 3.3`; a comment may break the line inside a citation. */
const CITATION = /blt-format(?:\.md)?[\s*]+(\d+(?:\.\d+)?(?:(?:,| to| and)[\s*]+\d+\.\d+)*)/g;
const DOCUMENT = /(?<![\w/-])docs\/[\w/-]+\.(?:md|json|svg)\b/g;
/** A path from the repository's root in backticks. */
const REPOSITORY_PATH = /`((?:src|test|scripts|bench|recipes|examples|schema)\/[\w./-]*)`/g;
const numbersOf = (text: string) => [...text.matchAll(CITATION)].flatMap(([, list]) => list!.match(/\d+(?:\.\d+)?/g)!);

const SECTIONS = headingsOf(readFileSync(join(REPOSITORY, 'docs/blt-format.md'), 'utf8')).flatMap(
  ({ text }) => /^(\d+(?:\.\d+)?)\.? /.exec(text)?.[1] ?? [],
);
const texts = repositoryTexts('src', 'test', 'docs', 'bench', 'scripts', 'recipes');
const everywhere = (found: (text: string) => readonly string[]) =>
  [...texts].flatMap(([path, text]) => found(text).map((item) => `${path}: ${item}`));

describe('what comments and documents cite', () => {
  it('are existing sections of docs/blt-format.md', () => {
    expect(everywhere(numbersOf).length).toBeGreaterThan(50);
    expect(everywhere((text) => numbersOf(text).filter((number) => !SECTIONS.includes(number)))).toEqual([]);
  });

  it('are documents of the repository', () => {
    const missing = (text: string) =>
      [...text.matchAll(DOCUMENT)].map(([path]) => path).filter((path) => !existsSync(join(REPOSITORY, path)));
    expect(everywhere(missing)).toEqual([]);
  });

  it('are files and folders of the repository, if documents name them by path', () => {
    const named = (text: string) => [...text.matchAll(REPOSITORY_PATH)].map(([, path]) => path!);
    const documents = [...texts].filter(([path]) => path.endsWith('.md'));
    expect(documents.flatMap(([, text]) => named(text)).length).toBeGreaterThan(50);
    const missing = documents.flatMap(([document, text]) =>
      named(text).flatMap((path) => (existsSync(join(REPOSITORY, path)) ? [] : `${document}: ${path}`)),
    );
    expect(missing).toEqual([]);
  });

  it('are no private notes', () => {
    const notes = ['conversion', 'research'].join('-');
    expect(everywhere((text) => (text.includes(notes) ? [notes] : []))).toEqual([]);
  });
});

describe('the rules', () => {
  it.each([
    ['RMSNorm (blt-format 1.2)', ['1.2']],
    ['the forward pass (blt-format 1).', ['1']],
    ['(blt-format 1.2, 4.2), in float32', ['1.2', '4.2']],
    ['(docs/blt-format.md 3.1 to 3.3). Tensor by tensor', ['3.1', '3.3']],
    [' * (blt-format\n * 1.4 and\n * 1.6)', ['1.4', '1.6']],
    ['docs/blt-format.md describes 2 things', []],
  ])('find the sections in %j', (text, wanted) => {
    expect(numbersOf(text)).toEqual(wanted);
  });
});
