import { expect, it } from 'vitest';
import { judgeRelease } from '../../scripts/check-release/judge.mjs';

const manifest = { version: '1.2.0', repository: { url: 'git+https://github.com/some/where.git' } };
const changelog = '# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-01\n';
const run = { tag: 'v1.2.0', repository: 'some/where' };

it('a tag that agrees with everything is released', () => {
  expect(judgeRelease(manifest, changelog, run)).toEqual([]);
});

it.each([
  ['another tag', manifest, changelog, { ...run, tag: 'v1.2.1' }, 'The tag v1.2.1 is not v1.2.0'],
  ['no tag', manifest, changelog, { repository: run.repository }, 'The tag undefined'],
  ['no section', manifest, '# Changelog\n\n## [1.2.0-rc.1]\n', run, 'CHANGELOG.md has no section [1.2.0]'],
  ['a fork', manifest, changelog, { ...run, repository: 'another/where' }, 'and this is another/where'],
  ['a name with the same ending', manifest, changelog, { ...run, repository: 'here' }, 'and this is here'],
] as const)('%s is refused', (_what, given, log, from, sentence) => {
  expect(judgeRelease(given, log, from).join(' ')).toContain(sentence);
});
