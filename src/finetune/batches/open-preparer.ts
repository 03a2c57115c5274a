/** @module Runs a preparer in a thread of its own, so that the main thread only runs the patcher and the steps. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ByteifyError, messageOf } from '../../errors.js';
import { deserializeError } from '../../serialized-error.js';
import { type ByteBatch, createPreparer, type Preparer, type PreparerSettings } from './batch-preparer.js';
import type { PreparerAnswer, PreparerCall } from './batch-worker.js';
import { buffersOf } from './buffers.js';
import type { StepBatch } from './step-batch.js';

const WORKER = new URL('./batch-worker.js', import.meta.url);

/** Opens a preparer in a new thread, or in the current one if the sources run uncompiled, since a thread can only be started from JavaScript. */
export function openPreparer(settings: PreparerSettings): Preparer {
  return existsSync(WORKER) ? startPreparer(settings, WORKER) : createPreparer(settings);
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Starts a thread with a preparer. Errors in the thread are rethrown here with their class and properties.
 * @param file the compiled `batch-worker`.
 */
export function startPreparer(settings: PreparerSettings, file: URL): Preparer {
  // The flags of this process may be invalid for a thread (--input-type), and the thread needs none.
  const worker = new Worker(file, { workerData: settings, execArgv: [] });
  let waiting: Waiting | null = null;
  let ended: ByteifyError | null = null;
  const take = () => {
    const taken = waiting;
    waiting = null;
    return taken;
  };
  const end = (error: ByteifyError) => {
    ended ??= error;
    take()?.reject(ended);
  };
  worker.on('message', (answer: PreparerAnswer) => {
    if ('thrown' in answer) take()?.reject(deserializeError(answer.thrown));
    else take()?.resolve(answer.value);
  });
  worker.on('error', (cause) =>
    end(new ByteifyError(`The thread that prepares batches failed: ${messageOf(cause)}`, { cause })),
  );
  worker.on('exit', () => end(new ByteifyError('The thread that prepares batches has ended.')));

  const call = (request: PreparerCall) =>
    new Promise<unknown>((resolve, reject) => {
      if (ended !== null) return reject(ended);
      waiting = { resolve, reject };
      worker.postMessage(request, buffersOf(request));
    });
  return {
    pack: async () => (await call({ call: 'pack' })) as readonly ByteBatch[],
    batch: async (outputs) => (await call({ call: 'batch', outputs })) as StepBatch,
    async close() {
      try {
        if (ended === null) await call({ call: 'close' });
      } finally {
        await worker.terminate();
      }
    },
  };
}
