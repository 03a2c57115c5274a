/**
 * @module Keeps signal handlers away from the threads that compute. oneDNN's sgemm (src/cpu/x64/gemm/f32 in oneDNN, as of TensorFlow 2.21)
 * points the stack register to a buffer on the heap while it runs, so the frame of a handler overwrites whatever lies before that buffer: a
 * Ctrl-C, a resized terminal or a child process that exits could corrupt the heap. With the signals blocked in these threads, the kernel
 * delivers them to one of V8's threads, and Node calls its listeners as before.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

interface CFunction {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

interface CLibrary {
  func(prototype: string): CFunction;
}

/** oneDNN generates such code for x86 only. */
export const NEEDS_SIGNAL_MASK = process.platform === 'linux' && process.arch === 'x64';

/** Signals that Node handles on its own account (a child's exit, the size of a terminal), or that programs listen to. */
const BLOCKED = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGCHLD', 'SIGCONT', 'SIGTSTP'] as const),
  ...(['SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGWINCH', 'SIGIO'] as const),
];

// <signal.h> of Linux: SIG_BLOCK, and a sigset_t in which bit n - 1 stands for signal n.
const SIG_BLOCK = 0;
const SIGSET_BYTES = 128;

function signalSet(): Uint8Array {
  const set = new Uint8Array(SIGSET_BYTES);
  for (const name of BLOCKED) {
    const bit = constants.signals[name] - 1;
    set[bit >> 3]! |= 1 << (bit & 7);
  }
  return set;
}

const SIGMASK = 'int pthread_sigmask(int how, void* set, void* old)';

/** Blocks the signals in the calling thread, and in all threads that it creates from now on, TensorFlow's among them. */
export function blockSignals(libc: CLibrary): void {
  if (NEEDS_SIGNAL_MASK) libc.func(SIGMASK)(SIG_BLOCK, signalSet(), null);
}

/** The ids of this process's threads, divided by whether they block SIGTERM. */
export function threadsByMask(): Record<'masked' | 'unmasked', ReadonlySet<string>> {
  const bit = 1n << BigInt(constants.signals.SIGTERM - 1);
  const isMasked = (id: string) => {
    const status = readFileSync(`/proc/self/task/${id}/status`, 'latin1');
    return (BigInt(`0x${/^SigBlk:\s*(\w+)/m.exec(status)![1]}`) & bit) !== 0n;
  };
  const ids = readdirSync('/proc/self/task');
  const masked = new Set(ids.filter(isMasked));
  return { masked, unmasked: new Set(ids.filter((id) => !masked.has(id))) };
}

/** The number of threads in libuv's pool, which runs asynchronous calls (libuv, threadpool.c). */
const poolSize = (): number =>
  Math.min(1024, Math.max(1, Number.parseInt(process.env.UV_THREADPOOL_SIZE ?? '4', 10) || 1));

const ROUNDS = 20;
const PAUSE_MICROSECONDS = 500;

/**
 * Blocks the signals in the threads of libuv's pool as well. They exist already, and a task cannot choose its thread; so tasks that block the
 * signals alternate with pauses, which leave the next task to another thread, until the kernel shows the mask in as many threads.
 */
export async function blockSignalsInPool(libc: CLibrary): Promise<void> {
  if (!NEEDS_SIGNAL_MASK) return;
  const [mask, pause, set] = [libc.func(SIGMASK), libc.func('int usleep(unsigned int microseconds)'), signalSet()];
  const run = (call: CFunction, ...args: unknown[]) =>
    new Promise<void>((done) => {
      call.async(...args, () => done());
    });
  const before = threadsByMask().unmasked;
  const isDone = () => [...threadsByMask().masked].filter((id) => before.has(id)).length >= poolSize();
  for (let round = 0; round < ROUNDS && !isDone(); round++) {
    const tasks = Array.from({ length: poolSize() }, () => [
      run(mask, SIG_BLOCK, set, null),
      run(pause, PAUSE_MICROSECONDS),
    ]);
    await Promise.all(tasks.flat());
  }
}
