import { describe, expect, it } from 'vitest';
import { headingsOf } from './support/markdown.js';
import { repositoryTexts } from './support/repository-texts.js';

/** What is wrong with the headings of a page: it has one title, and no heading twice below the same one. */
function faultsOf(markdown: string): string[] {
  const headings = headingsOf(markdown);
  const titles = headings.filter(({ level }) => level === 1);
  const seen = new Set<string>();
  const path: string[] = [];
  const repeated = headings.filter(({ level, text }) => {
    path.splice(level - 1);
    path[level - 1] = text;
    const whole = path.join('\n');
    const isRepeated = seen.has(whole);
    seen.add(whole);
    return isRepeated;
  });
  return [
    ...(titles.length === 1 ? [] : [`${titles.length} titles`]),
    ...repeated.map(({ level, text }) => `again: ${'#'.repeat(level)} ${text}`),
  ];
}

it('each page has one title, and no heading twice', () => {
  const pages = [...repositoryTexts('docs')].filter(
    ([path]) => path.endsWith('.md') && !path.startsWith('docs/bench/'),
  );
  expect(pages.length).toBeGreaterThan(10);
  expect(pages.flatMap(([path, text]) => faultsOf(text).map((fault) => `${path}: ${fault}`))).toEqual([]);
});

describe('the rule', () => {
  it.each([
    ['# A\n\n## B\n\n# A\n', ['2 titles', 'again: # A']],
    ['# A\n\n## B\n\n## C\n\n## B\n', ['again: ## B']],
    ['no title\n', ['0 titles']],
  ])('finds %j', (text, found) => {
    expect(faultsOf(text)).toEqual(found);
  });

  it.each(['# A\n\n## B\n\n### D\n\n## C\n\n### D\n', '# A\n\n```sh\n# a comment\n# a comment\n```\n'])(
    'allows %j',
    (text) => {
      expect(faultsOf(text)).toEqual([]);
    },
  );
});
