import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { headingsOf, linksOf } from './support/markdown.js';
import { REPOSITORY, repositoryTexts } from './support/repository-texts.js';

const pages = new Map([...repositoryTexts('docs')].filter(([path]) => path.endsWith('.md')));

/** The broken links of a page: no such file, outside the repository, or no such heading. */
function brokenLinks(path: string, markdown: string): string[] {
  return linksOf(markdown).filter((link) => {
    if (/^[a-z][a-z+.-]*:/i.test(link)) return false;
    const [file = '', anchor] = link.split('#', 2);
    const target = file === '' ? path : join(dirname(path), decodeURIComponent(file));
    const absolute = join(REPOSITORY, target);
    if (relative(REPOSITORY, absolute).startsWith('..')) return true;
    if (target !== path && !existsSync(absolute)) return true;
    if (anchor === undefined) return false;
    if (target !== path && !statSync(absolute).isFile()) return true;
    const text = target === path ? markdown : readFileSync(absolute, 'utf8');
    return !headingsOf(text).some((heading) => heading.anchor === anchor);
  });
}

it('every link of README and docs leads somewhere', () => {
  const links = [...pages].flatMap(([path, markdown]) => linksOf(markdown).map((link) => `${path}: ${link}`));
  expect(links.length).toBeGreaterThan(30);
  const broken = [...pages].flatMap(([path, markdown]) =>
    brokenLinks(path, markdown).map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

describe('the rules', () => {
  it.each([
    '[a](src/none.md)',
    '![a](none.svg)',
    '[a](#none)',
    '[a](../outside.md)',
    '[a](docs/blt-format.md#none)',
    '[a]: none.md',
    '<img src="none.svg">',
  ])('refuse %s', (markdown) => {
    expect(brokenLinks('README.md', `# Title\n\n${markdown}\n`)).toHaveLength(1);
  });

  it.each([
    '[a](docs/blt-format.md#17-patches)',
    '[a](docs)',
    '[a](#the-command--its-options)',
    '[a](#title-1)',
    '[a](https://example.org/none#none)',
    '`[a](none.md)`',
    '```\n[a](none.md)\n```',
  ])('allow %s', (markdown) => {
    expect(
      brokenLinks('README.md', `# Title\n\n## The \`command\` & its options\n\n## Title\n\n${markdown}\n`),
    ).toEqual([]);
  });
});
