/** @module Background work on another thread that must not delay the end of the process. */
import { isMainThread } from 'node:worker_threads';
import type { Runtime } from './executor.js';

/**
 * Settles as `work` does. While `work` is running, the process exits without waiting for it. Otherwise Node would join its threads, and XLA
 * can compile for many seconds.
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
