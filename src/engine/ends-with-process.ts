/** @module Work on another thread that nobody needs once the process ends. */
import { isMainThread } from 'node:worker_threads';
import type { Runtime } from './executor.js';

/**
 * Settles as `work` does. While it is under way, the end of the process does not wait for it: Node joins its threads when it exits, and XLA may
 * compile for many seconds.
 */
export async function endsWithProcess<T>({ leave }: Pick<Runtime, 'leave'>, work: Promise<T>): Promise<T> {
  if (!isMainThread) return await work;
  const leaveAtOnce = (exitCode: number) => leave(exitCode);
  process.on('exit', leaveAtOnce);
  try {
    return await work;
  } finally {
    process.off('exit', leaveAtOnce);
  }
}
