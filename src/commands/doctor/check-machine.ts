/** @module Checks of the machine: Node, memory, disk, GPU, and the programs that some verbs call. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { type HugePageMode, hugePageMode } from '../../engine/huge-pages.js';
import { engineHome } from '../../engine/setup/folders.js';
import { type Machine, supportOf, thisMachine } from '../../engine/setup/machine.js';
import { humanBytes } from '../../ui/index.js';
import type { Check } from './check.js';

const run = promisify(execFile);

/** `engines` of package.json. */
const MINIMUM_NODE = [20, 19] as const;

/** Checks that this Node is new enough. */
export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_NODE;
  const ok = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  const wanted = MINIMUM_NODE.join('.');
  return { name: 'node', required: true, ok, detail: version, mend: ok ? null : `install Node ${wanted} or newer` };
}

/** Checks that the engine's libraries exist for this machine. It is only a warning where the user can load a build of their own. */
export function checkPlatform(machine: Machine = thisMachine()): Check {
  const { name, ownLibraries, advice } = supportOf(machine);
  const check = { name: 'machine', required: !ownLibraries };
  if (advice === null) return { ...check, ok: true, detail: name, mend: null };
  return { ...check, ok: false, detail: `${name}: ${advice.reason}`, mend: advice.hint };
}

/** More than enough for the recipe `tiny`; `byteify plan` predicts what a model needs. */
const MIN_MEMORY_BYTES = 2e9;
const LITTLE_DISK_BYTES = 5e9;

/** Checks that enough memory is free for the smallest conversion. @param free bytes @param total bytes */
export function checkMemory(free: number = freemem(), total: number = totalmem()): Check {
  const ok = free >= MIN_MEMORY_BYTES;
  const detail = `${humanBytes(free)} free of ${humanBytes(total)}, ${availableParallelism()} cores`;
  return {
    name: 'memory',
    required: false,
    ok,
    detail,
    mend: ok ? null : 'close other programs; byteify plan predicts what a model needs',
  };
}

/** Tells whether large tensors lie on large pages. @param mode null where Linux does not say */
export function checkPages(mode: HugePageMode = hugePageMode()): Check[] {
  if (mode === null) return [];
  const check = { name: 'memory pages', required: false };
  if (mode !== 'never') return [{ ...check, ok: true, detail: '2 MiB for large tensors', mend: null }];
  return [
    {
      ...check,
      ok: false,
      detail: '4 KiB, since Linux gives no larger ones',
      mend: 'for faster training: echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
    },
  ];
}

/** Checks the disk of the current folder, where conversions are written, and of the cache, where the engine is installed. */
export async function checkDisks(): Promise<Check[]> {
  return [await checkDisk('disk, here', process.cwd()), await checkDisk('disk, cache', engineHome())];
}

async function checkDisk(name: string, path: string): Promise<Check> {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const ok = free >= LITTLE_DISK_BYTES;
  return {
    name,
    required: false,
    ok,
    detail: `${humanBytes(free)} free at ${existing}`,
    mend: ok ? null : 'free some space',
  };
}

/** Lists the GPUs that the driver's nvidia-smi reports. */
export async function checkGpu(): Promise<Check> {
  const check = { name: 'gpu', required: false };
  try {
    const { stdout } = await run(
      'nvidia-smi',
      ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'],
      {
        timeout: 10_000,
      },
    );
    const gpus = stdout.trim().split('\n').filter(Boolean);
    if (gpus.length > 0) return { ...check, ok: true, detail: gpus.join('; '), mend: 'byteify setup --gpu uses it' };
  } catch {
    // Most machines have no driver, and that is fine.
  }
  return { ...check, ok: false, detail: 'no NVIDIA GPU found by nvidia-smi', mend: 'nothing: the CPU is used' };
}

/** Checks for pip, with which `byteify setup` downloads the engine. Nothing else needs Python. */
export async function checkPip(): Promise<Check> {
  const check = { name: 'pip', required: false };
  for (const python of ['python3', 'python']) {
    try {
      const { stdout } = await run(python, ['-m', 'pip', '--version'], { timeout: 30_000 });
      return { ...check, ok: true, detail: stdout.trim().split(' from ', 1)[0] ?? '', mend: null };
    } catch {
      // The next name may work.
    }
  }
  return {
    ...check,
    ok: false,
    detail: "Python's pip was not found",
    mend: 'install Python with pip, which byteify setup needs',
  };
}

/** Tells how wide the windows of .zst training data may be: Node's zlib reads all since 22.15 and 23.8, byteify's own decoder most. */
export function checkZstd(): Check {
  const detail =
    'createZstdDecompress' in zlib
      ? 'training data in .zst files is read'
      : 'training data in .zst files is read, with windows up to 128 MiB; wider ones need Node 22.15 or newer';
  return { name: 'zstd', required: false, ok: true, detail, mend: null };
}
