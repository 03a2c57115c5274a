/** @module The entry of the thread that keeps a process's connection, and on rank 0 the service too: both answer whatever the main thread computes. */
import { parentPort, workerData } from 'node:worker_threads';
import { ByteifyError } from '../errors.js';
import { type SerializedError, serializeError } from '../serialized-error.js';
import { systemCode } from '../system-errors.js';
import { openConnection } from './connection.js';
import type { Launch } from './launch-environment.js';
import type { Answer, Limits, Member, Request } from './messages.js';
import { openService } from './service.js';

export interface ThreadData {
  readonly launch: Launch;
  readonly limits: Limits;
  readonly me: Member;
  readonly version: string;
}

/** From the main thread. */
export type ToThread = { readonly send: Request; readonly body?: Uint8Array } | 'close';

/** To the main thread. */
export type FromThread =
  | { readonly connected: { readonly address: string } }
  | { readonly answer: Answer; readonly body: Uint8Array }
  | { readonly failed: SerializedError }
  | 'closed';

const port = parentPort!;
const { launch, limits, me, version } = workerData as ThreadData;
const post = (message: FromThread) => port.postMessage(message);

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'it is not an address of this machine',
  EACCES: 'this user may not use the port',
};

async function serve() {
  const { leader, size } = launch;
  try {
    return await openService({ ...leader, size, version, limits });
  } catch (cause) {
    const reason = REASONS[systemCode(cause) ?? ''] ?? (cause as Error).message;
    throw new ByteifyError(`Process 0 cannot listen at ${leader.host}:${leader.port}: ${reason}.`, {
      hint: 'Set MASTER_ADDR to an address of the machine of process 0, and MASTER_PORT to a free port.',
      cause,
    });
  }
}

try {
  const service = launch.rank === 0 ? await serve() : null;
  const connection = await openConnection({
    ...{ leader: launch.leader, limits, join: { type: 'join', ...me, size: launch.size, version } },
    onAnswer: (answer, body) => {
      if (answer.type !== 'alive') post({ answer, body });
    },
    onLost: (message) => post({ answer: { type: 'lost', message }, body: new Uint8Array() }),
  });
  port.on('message', (message: ToThread) => {
    if (message !== 'close') return connection.send(message.send, message.body);
    void connection.close().then(() => {
      // The others close their connections when they have read what was sent to them.
      if (service === null) return post('closed');
      service.close(() => post('closed'));
      setTimeout(() => post('closed'), 2000).unref();
    });
  });
  post({ connected: { address: connection.address } });
} catch (error) {
  post({ failed: serializeError(error) });
}
