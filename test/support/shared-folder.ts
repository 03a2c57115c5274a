/** Vitest's global set-up: a folder for the conversions that slow tests share, removed after the run. `.ci/run` provides its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp(): (() => void) | undefined {
  if (process.env.BYTEIFY_TEST_SHARED) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'byteify-shared-'));
  process.env.BYTEIFY_TEST_SHARED = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
