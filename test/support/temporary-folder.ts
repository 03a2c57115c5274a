import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** Creates an empty folder before each test of the file, and removes it afterwards. Outside a test there is none. */
export function temporaryFolder(): () => string {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'byteify-test-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
    folder = '';
  });
  return () => {
    if (folder === '') throw new Error('the temporary folder exists only within a test');
    return folder;
  };
}
