/** @module A process's connection to the service of its group. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ByteifyError, messageOf } from '../errors.js';
import { readFrames, writeFrame } from './frames.js';
import { type Answer, type Limits, type Request, SIGNS_OF_LIFE } from './messages.js';

export interface ConnectionOptions {
  readonly leader: { readonly host: string; readonly port: number };
  readonly limits: Limits;
  readonly join: Request & { readonly type: 'join' };
  readonly onAnswer: (answer: Answer, body: Uint8Array) => void;
  /** The service cannot be reached any more. */
  readonly onLost: (message: string) => void;
}

export interface Connection {
  /** The address of this machine on the network that leads to rank 0. */
  readonly address: string;
  send(request: Request, body?: Uint8Array): void;
  /** Sends what is left, and closes the connection. */
  close(): Promise<void>;
}

/** Milliseconds between attempts, while rank 0 may not have started yet. */
const ATTEMPT_MS = 250;

function attempt({ host, port }: ConnectionOptions['leader']): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      socket.destroy();
      reject(error);
    });
  });
}

/** @throws ByteifyError when rank 0 does not listen within the time to join */
async function reach({ leader, limits }: ConnectionOptions): Promise<Socket> {
  const startedAt = performance.now();
  for (;;) {
    try {
      return await attempt(leader);
    } catch (cause) {
      if (performance.now() - startedAt < limits.join * 1000) await sleep(ATTEMPT_MS);
      else
        throw new ByteifyError(
          `Process 0 could not be reached at ${leader.host}:${leader.port} within ${limits.join} s: ${messageOf(cause)}.`,
          { hint: 'MASTER_ADDR and MASTER_PORT must lead to the machine of process 0, past any firewall.', cause },
        );
    }
  }
}

/** Connects, joins, and sends signs of life from then on. @throws ByteifyError when rank 0 cannot be reached */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { limits, join, onAnswer, onLost } = options;
  const socket = await reach(options);
  let heardAt = performance.now();
  let closing = false;
  const send = (request: Request, body?: Uint8Array) => {
    if (socket.writable) writeFrame(socket, request, body);
  };
  const lost = (message: string) => {
    if (!closing) onLost(message);
    closing = true;
  };
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => lost('Process 0 has ended.'));
  readFrames<Answer>(
    socket,
    ({ header, body }) => {
      heardAt = performance.now();
      onAnswer(header, body);
    },
    (error) => lost(`What process 0 sent makes no sense: ${error.message}.`),
  );
  const timer = setInterval(
    () => {
      send({ type: 'alive' });
      if (performance.now() - heardAt > limits.silence * 1000)
        lost(`Process 0 has given no sign of life for ${limits.silence} s.`);
    },
    (limits.silence * 1000) / SIGNS_OF_LIFE,
  );
  socket.on('close', () => clearInterval(timer));
  const address = socket.localAddress!;
  send(join);
  return {
    address,
    send,
    close() {
      closing = true;
      return new Promise((resolve) => {
        socket.once('close', () => resolve());
        if (socket.destroyed) resolve();
        else socket.end();
        // The other end may be gone already.
        setTimeout(() => socket.destroy(), 1000).unref();
      });
    },
  };
}
