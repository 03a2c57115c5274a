/** @module The entry of the batch thread: a preparer that answers the main thread's calls one after the other. No TensorFlow. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PatcherOutput } from '../../patching/index.js';
import { type SerializedError, serializeError } from '../../serialized-error.js';
import { createPreparer, type PreparerSettings } from './batch-preparer.js';
import { buffersOf } from './buffers.js';

export type PreparerCall =
  | { readonly call: 'pack' }
  | { readonly call: 'batch'; readonly outputs: readonly PatcherOutput[] }
  | { readonly call: 'close' };

export type PreparerAnswer = { readonly value: unknown } | { readonly thrown: SerializedError };

const port = parentPort!;
const preparer = createPreparer(workerData as PreparerSettings);

function answer(request: PreparerCall): Promise<unknown> {
  switch (request.call) {
    case 'pack':
      return preparer.pack();
    case 'batch':
      return preparer.batch(request.outputs);
    case 'close':
      return preparer.close();
  }
}

const post = (message: PreparerAnswer) => port.postMessage(message, buffersOf(message));

port.on('message', (request: PreparerCall) => {
  answer(request).then(
    (value) => post({ value }),
    (thrown: unknown) => post({ thrown: serializeError(thrown) }),
  );
});
