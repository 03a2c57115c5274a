import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { danglingLink, namingPath, systemCode, systemFailure, systemProblem } from '../src/system-errors.js';
import { temporaryFolder } from './support/temporary-folder.js';

const folder = temporaryFolder();

const failure = (code: string, more: object = {}) =>
  Object.assign(new Error(`${code}: says the system`), { code, ...more });

describe('the description of a system error', () => {
  it.each([
    ['ENOSPC', 'The disk is full: /out/x could not be written.'],
    ['EDQUOT', 'The disk quota of this user is used up: /out/x could not be written.'],
    ['EROFS', '/out/x lies on a read-only file system.'],
    ['EACCES', '/out/x may not be read or written by this user.'],
    ['EISDIR', '/out/x is a folder where a file is needed.'],
    ['ENOTDIR', '/out/x is a file where a folder is needed.'],
    ['EXDEV', '/out/x cannot be moved in one step because the destination is on another file system.'],
    ['EIO', 'The disk failed while /out/x was being read or written.'],
    ['EOPNOTSUPP', 'The file system of /out/x does not support this operation.'],
    ['EMFILE', 'This process has too many files open.'],
    ['ENFILE', 'This machine has too many files open.'],
  ])('is right for %s', (code, message) => {
    const problem = systemProblem(failure(code, { path: '/out/x' }));
    expect(problem?.message).toBe(message);
    expect(problem?.hint).toMatch(/^\S.*\.$/);
  });

  it('says that the file system has no links, not that the user may not create one', () => {
    for (const code of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
      expect(systemProblem(failure(code, { path: '/out/x', syscall: 'symlink' }))?.message).toBe(
        'The file system of /out/x does not support links.',
      );
    expect(systemProblem(failure('EPERM', { path: '/out/x', syscall: 'unlink' }))?.message).toMatch(/this user/);
  });

  it('names the path that the caller knows before the one of the error', () => {
    const error = systemFailure(failure('EROFS', { path: '/out/.x.tmp-1-abc' }), '/out/x');
    expect(error).toMatchObject({ message: '/out/x lies on a read-only file system.', cause: { code: 'EROFS' } });
    expect(systemFailure(new Error('another'), '/out/x')).toBeNull();
  });

  it('keeps a path with a dollar sign as it is', () => {
    expect(systemProblem(failure('EROFS', { path: "/a$&b$'" }))?.message).toBe(
      "/a$&b$' lies on a read-only file system.",
    );
  });

  it('names a dangling link wherever it is on the path', async () => {
    await symlink('../gone', join(folder(), 'link'));
    for (const path of [join(folder(), 'link'), join(folder(), 'link/deep/file')]) {
      const error = await readFile(path).catch((cause: unknown) => cause);
      expect(systemProblem(error)?.message).toBe(
        `${join(folder(), 'link')} is a link to ../gone, which does not exist.`,
      );
    }
    const made = await mkdir(join(folder(), 'link')).catch((cause: unknown) => cause);
    expect(systemProblem(made)?.message).toMatch(/is a link to/);
    await writeFile(join(folder(), 'there'), '');
    await symlink('there', join(folder(), 'good'));
    expect(danglingLink(join(folder(), 'good'))).toBeNull();
    expect(danglingLink(join(folder(), 'absent'))).toBeNull();
  });

  it('finds the error code', () => {
    expect(systemCode(failure('EROFS'))).toBe('EROFS');
    expect(systemCode(new Error('none'))).toBeNull();
    expect(systemCode('text')).toBeNull();
  });
});

describe('naming the path', () => {
  it('adds it to the error of an open file that was written to, and to no other', async () => {
    expect(namingPath(failure('ENOSPC', { syscall: 'write' }), { path: '/out' })).toMatchObject({ path: '/out' });
    expect(namingPath(failure('EIO', { syscall: 'read' }), { path: '/out' })).not.toHaveProperty('path');
    await mkdir(join(folder(), 'here'));
    const absent = await readFile(join(folder(), 'here/none')).catch((cause: unknown) => cause);
    expect(namingPath(absent, { path: '/out' })).toMatchObject({ path: join(folder(), 'here/none') });
  });

  it('replaces the temporary path, even in causes', () => {
    const cause = failure('ENOSPC', { path: '/out/.a.tmp/b' });
    const error = new Error('/out/.a.tmp/b failed', { cause });
    expect(namingPath(error, { path: '/out/a', temporary: '/out/.a.tmp' })).toMatchObject({
      message: '/out/a/b failed',
      cause: { path: '/out/a/b' },
    });
  });
});
