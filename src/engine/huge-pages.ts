/**
 * @module Large tensors on pages of 2 MiB. A step allocates and frees gigabytes, and Linux hands memory out zeroed, 4 KiB at a time: that takes a
 * fifth of a step on a CPU (`npm run bench:train -- --both-pages`). glibc asks for large pages if a variable says so when the process starts
 * (glibc manual, "Memory Allocation Tunables"), so the program is started again, in place: the process, its terminal and its signals stay the same.
 */
import { readFileSync } from 'node:fs';
import { koffi } from './c-library.js';

/** glibc reads this variable when a process starts. */
const VARIABLE = 'GLIBC_TUNABLES';
const TUNABLE = 'glibc.malloc.hugetlb';
/** Asks for large pages where they are left to programs; 2 would need pages that the administrator sets aside. */
const ON = `${TUNABLE}=1`;

/** When Linux gives large pages: always, to programs that ask, or never. Null on other systems. */
export type HugePageMode = 'always' | 'madvise' | 'never' | null;

/** @param path lists the modes, with the current one in brackets */
export function hugePageMode(path = '/sys/kernel/mm/transparent_hugepage/enabled'): HugePageMode {
  try {
    const mode = /\[(\w+)\]/.exec(readFileSync(path, 'utf8'))?.[1];
    return mode === 'always' || mode === 'madvise' || mode === 'never' ? mode : null;
  } catch {
    return null;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment in which a process gets large pages; null if it has chosen already, or asking changes nothing. */
export function hugePageEnvironment(env: Environment, mode: HugePageMode): Record<string, string> | null {
  const before = env[VARIABLE] ?? '';
  if (mode !== 'madvise' || before.includes(TUNABLE)) return null;
  const others = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(others), [VARIABLE]: before === '' ? ON : `${before}:${ON}` };
}

// <fcntl.h> of Linux.
const F_SETFD = 2;
const STDIO = [0, 1, 2];

/** The open files that a new program needs: the standard ones, and those that arguments name, as a shell does for `<(command)`. */
export function neededDescriptors(args: readonly string[]): readonly number[] {
  const named = args.flatMap((text) => [...text.matchAll(/\/(?:dev|proc\/self)\/fd\/(\d+)/g)]);
  return [...STDIO, ...named.map(([, number]) => Number(number))];
}

/**
 * Starts the program again with large pages, and does not return. Returns where that is of no use (another system or C library, or the user has
 * chosen) or not possible (a child that talks to its parent through a channel, which the new program would lose). Call it before reading stdin.
 */
export function restartOnHugePages(): void {
  const env = hugePageEnvironment(process.env, hugePageMode());
  if (env === null || process.send !== undefined) return;
  try {
    const libc = koffi().load(null);
    libc.func('const char* gnu_get_libc_version()')();
    const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    // Node closes its own files for new programs, and these too.
    const fcntl = libc.func('int fcntl(int file, int command, ...)');
    for (const file of neededDescriptors(args)) fcntl(file, F_SETFD, 'int', 0);
    libc.func('int execve(const char* path, const char** args, const char** env)')(
      process.execPath,
      [...args, null],
      [...variables, null],
    );
  } catch {
    // Another C library, or koffi is missing: pages stay small.
  }
}
