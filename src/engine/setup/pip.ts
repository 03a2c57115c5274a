/** @module What byteify asks of pip, which knows the user's package index, mirror, proxy and credentials. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ByteifyError } from '../../errors.js';
import type { PinnedWheel } from './libraries.js';

const run = promisify(execFile);

const requirementOf = ({ project, version }: PinnedWheel) => `${project}==${version}`;

const selectionOf = ({ platform, pythonVersion }: PinnedWheel) => [
  '--only-binary=:all:',
  '--platform',
  platform,
  '--python-version',
  pythonVersion,
  '--no-deps',
  '--quiet',
];

/**
 * Asks pip for a wheel's URL, since pip's own downloads cannot be resumed.
 * @throws ByteifyError when pip is absent or does not find the wheel.
 */
export async function wheelUrl(wheel: PinnedWheel, python: string): Promise<string> {
  // --target makes pip resolve for another platform; a dry run writes nothing there.
  const dry = ['--dry-run', '--ignore-installed', '--target', 'unused', '--report', '-'];
  try {
    const args = ['-m', 'pip', 'install', ...dry, ...selectionOf(wheel), requirementOf(wheel)];
    const { stdout } = await run(python, args, { maxBuffer: 64 * 2 ** 20 });
    const report = JSON.parse(stdout) as { install: { download_info: { url: string } }[] };
    return report.install[0]!.download_info.url;
  } catch (error) {
    throw new ByteifyError(`pip could not find ${requirementOf(wheel)} for ${wheel.platform}.`, {
      hint: 'Check `python3 -m pip --version` (22.2 or newer) and the network, or pass --libtensorflow DIR with a local copy.',
      cause: error,
    });
  }
}

/**
 * Downloads a wheel with pip, which does not reveal proxies and credentials for a plain request.
 * @returns the wheel's path in `folder`.
 * @throws what running pip throws when it fails; the signal's reason.
 */
export async function downloadWithPip(
  wheel: PinnedWheel,
  folder: string,
  python: string,
  signal?: AbortSignal,
): Promise<string> {
  const args = ['-m', 'pip', 'download', ...selectionOf(wheel), '--dest', folder, requirementOf(wheel)];
  await run(python, args, signal && { signal });
  const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new Error('pip downloaded no wheel');
  return join(folder, name);
}
