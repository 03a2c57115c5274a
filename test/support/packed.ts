/**
 * The package as users get it: packed, and installed into an empty folder. Made once per run, in the folder BYTEIFY_TEST_SHARED, for all
 * test files that need it.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finished } from './cli.js';
import { sharedRoot } from './conversions.js';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Packed {
  /** `byteify-blt` */
  readonly name: string;
  /** The file that would be published to the registry. */
  readonly tarball: string;
  /** The paths in it. */
  readonly files: readonly string[];
  /** The folder with `node_modules`, in which a user would work. */
  readonly folder: string;
}

interface PackReport {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** npm 11 prints a list, newer versions an object by name. */
function reportOf(stdout: string): PackReport {
  const [report] = Object.values(JSON.parse(stdout) as Record<string, PackReport>);
  if (report === undefined) throw new Error('npm packed nothing');
  return report;
}

async function packInto(folder: string): Promise<void> {
  // Not the prepack script: `npm test` has just built the package, and other tests use that build.
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder, ROOT]);
  const { filename, files } = reportOf(stdout);
  await rename(join(folder, filename), join(folder, 'package.tgz'));
  await writeFile(join(folder, 'files.json'), JSON.stringify(files.map(({ path }) => path).sort()));
  const user = join(folder, 'user');
  await mkdir(user);
  await writeFile(join(user, 'package.json'), '{ "private": true }\n');
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '../package.tgz'], { cwd: user });
}

/** Packs and installs the package, or finds it done. */
export async function packed(): Promise<Packed> {
  const folder = join(sharedRoot(), 'packed');
  if (!existsSync(folder)) {
    const making = await mkdtemp(`${folder}-`);
    await packInto(making);
    // Another test file may have been faster.
    await rename(making, folder).catch(() => rm(making, { recursive: true }));
  }
  const { name } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { name: string };
  const files = JSON.parse(await readFile(join(folder, 'files.json'), 'utf8')) as string[];
  return { name, tarball: join(folder, 'package.tgz'), files, folder: join(folder, 'user') };
}

/**
 * Runs shell commands as a user of the installed package does: `byteify` is found as npx finds it, and what they
 * install globally goes below their own folder. Stops at the first that fails.
 * @param cwd where they run, as a rule a folder below the installed one.
 */
export function runAsUser(commands: string, { folder }: Packed, cwd: string): Promise<Finished> {
  const bin = join(folder, 'node_modules', '.bin');
  const prefix = join(cwd, '.npm-global');
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    cwd,
    env: {
      ...process.env,
      NO_COLOR: '1',
      BYTEIFY_THREADS: '2',
      npm_config_prefix: prefix,
      PATH: [join(prefix, 'bin'), bin, process.env.PATH].join(delimiter),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
