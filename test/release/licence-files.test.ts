import { expect, it } from 'vitest';
import { licenceFileKind, licenceFilesOf, noticeWith } from '../../src/release/licence-files.js';
import { LLAMA_LICENCES } from '../../src/release/llama-licences.js';

it.each([
  ['LICENSE', 'text'],
  ['LICENSE.txt', 'text'],
  ['license.md', 'text'],
  ['LICENCE', 'text'],
  ['COPYING', 'text'],
  ['LICENSE-CODE', 'text'],
  ['NOTICE', 'notice'],
  ['Notice.txt', 'notice'],
  ['USE_POLICY.md', 'policy'],
  ['README.md', null],
  ['LICENSES', null],
  ['model.LICENSE', null],
] as const)('%s is of the kind %s', (name, kind) => {
  expect(licenceFileKind(name)).toBe(kind);
});

it('licence files of one kind are listed', () => {
  expect(licenceFilesOf(['NOTICE', 'b', 'LICENSE.txt', 'COPYING'], 'text')).toEqual(['COPYING', 'LICENSE.txt']);
});

it('a missing attribution is added, and existing text is kept', () => {
  const terms = LLAMA_LICENCES['llama3.2']!;
  expect(noticeWith(terms, new Map())).toEqual({ name: 'NOTICE', text: `${terms.notice}\n` });
  const own = `Ours.\n${terms.notice.replace('Copyright', '\n  Copyright')}\n`;
  expect(noticeWith(terms, new Map([['Notice.txt', own]]))).toEqual({ name: 'Notice.txt', text: own });
  expect(noticeWith(terms, new Map([['Notice.txt', 'Ours.\n']]))).toEqual({
    name: 'Notice.txt',
    text: `Ours.\n\n${terms.notice}\n`,
  });
});
