import { expect, it } from 'vitest';
import type { LocalFile } from '../../src/hub/index.js';
import { verifyTree } from '../../src/hub/publish/verify.js';

const [sha256, gitSha1] = ['a'.repeat(64), 'b'.repeat(40)];
const local = (path: string): LocalFile => ({ path, sizeBytes: 3, sha256, gitSha1, content: new Blob([]) });
const remote = (path: string, oid = gitSha1) => ({ path, sizeBytes: 3, oid, sha256: null, xetHash: null });

it('a repository with every file, and with others that were not to be removed, is correct', () => {
  expect(() => verifyTree([remote('a'), remote('paper.pdf')], [local('a')], ['old.bin'], 'me/model')).not.toThrow();
});

it('missing, wrong and unremoved files are named in one sentence', () => {
  const there = [remote('a'), remote('b', 'c'.repeat(40)), remote('old.bin')];
  expect(() => verifyTree(there, ['a', 'b', 'd'].map(local), ['old.bin', 'gone.bin'], 'me/model')).toThrow(
    'me/model lacks d and has other bytes than were sent for b and still has old.bin.',
  );
});
