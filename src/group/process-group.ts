/** @module Processes that work on one conversion: how they find each other, exchange small values, and learn that one of them is gone. */
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { ByteifyError } from '../errors.js';
import { deserializeError } from '../serialized-error.js';
import { toolVersion } from '../version.js';
import type { FromThread, ThreadData, ToThread } from './group-thread.js';
import type { Launch } from './launch-environment.js';
import type { Limits, Member, Request } from './messages.js';

/** Exchanges on one subject. Every process takes part in each, in the same order. */
export interface Channel {
  /**
   * Sends a body and receives those of all processes, by rank.
   * @throws ByteifyError when a process is lost, or the channel is closed
   */
  gather(body: Uint8Array): Promise<readonly Uint8Array[]>;
  /** Ends what waits. */
  close(): void;
}

export interface ProcessGroup {
  readonly rank: number;
  readonly size: number;
  /** By rank. */
  readonly members: readonly Member[];
  /** The address of this machine on the network that leads to rank 0. */
  readonly address: string;
  /** @param options.patient the others may take any time, as long as they live. */
  channel(name: string, options?: { readonly patient?: boolean }): Channel;
  /** Aborted with an error that names the process when one is lost. */
  readonly lost: AbortSignal;
  /** Aborted on all processes when `requestStop` is called on one. */
  readonly stop: AbortSignal;
  requestStop(): void;
  /** Tells the others that this process cannot go on. */
  fail(message: string): void;
  /** Leaves in good order. */
  leave(): Promise<void>;
}

/** Seconds. */
const DEFAULTS: Limits = { silence: 30, join: 300, step: 1800 };

const HINT =
  'The last checkpoint is kept: run the same command again to resume, or use `byteify launch --restarts` to do so at once.';

const THREAD = new URL('./group-thread.js', import.meta.url);

interface Waiting {
  readonly resolve: (bodies: readonly Uint8Array[]) => void;
  readonly reject: (error: unknown) => void;
}

function partsOf(body: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return body.slice(at - length, at);
  });
}

/**
 * Joins the other processes; resolves when all are there.
 * @param thread the compiled `group-thread`
 * @throws ByteifyError when they do not meet in time, or rank 0 cannot listen
 */
export async function joinGroup(
  launch: Launch,
  given: Partial<Limits> = {},
  thread: URL = THREAD,
): Promise<ProcessGroup> {
  const limits = { ...DEFAULTS, ...given };
  const me: Member = { rank: launch.rank, host: hostname(), pid: process.pid };
  const data: ThreadData = { launch, limits, me, version: toolVersion() };
  const worker = new Worker(thread, { workerData: data, execArgv: [] });
  const waiting = new Map<string, Waiting>();
  const [lost, stop] = [new AbortController(), new AbortController()];
  const post = (message: ToThread) => worker.postMessage(message);
  const send = (send: Request, body?: Uint8Array) => post(body === undefined ? { send } : { send, body });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  function end(error: Error): void {
    if (lost.signal.aborted) return;
    lost.abort(error);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  const { members, address } = await new Promise<Pick<ProcessGroup, 'members' | 'address'>>((resolve, reject) => {
    let address = '';
    lost.signal.addEventListener('abort', () => reject(lost.signal.reason));
    worker.on('error', (cause) => end(cause));
    worker.on('message', (message: FromThread) => {
      if (message === 'closed') return;
      if ('failed' in message) return end(deserializeError(message.failed));
      if ('connected' in message) {
        address = message.connected.address;
        return;
      }
      const { answer, body } = message;
      switch (answer.type) {
        case 'joined':
          return resolve({ members: answer.members, address });
        case 'refused':
          return end(new ByteifyError(answer.message, { hint: answer.hint }));
        case 'lost':
          return end(new ByteifyError(answer.message, { hint: HINT }));
        case 'stop':
          return stop.abort();
        case 'gathered': {
          const key = `${answer.channel} ${answer.turn}`;
          waiting.get(key)?.resolve(partsOf(body, answer.lengths));
          waiting.delete(key);
        }
      }
    });
  }).catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });

  return {
    ...{ rank: launch.rank, size: launch.size, members, address, lost: lost.signal, stop: stop.signal },
    channel(name, { patient = false } = {}) {
      let turn = 0;
      let closed = false;
      return {
        gather(body) {
          if (lost.signal.aborted) return Promise.reject(lost.signal.reason);
          if (closed) return Promise.reject(new ByteifyError(`The exchange of ${name} is closed.`));
          const key = `${name} ${turn}`;
          send({ type: 'gather', channel: name, turn: turn++, patient }, body);
          return new Promise((resolve, reject) => waiting.set(key, { resolve, reject }));
        },
        close() {
          closed = true;
          for (const [key, { reject }] of waiting) {
            if (!key.startsWith(`${name} `)) continue;
            waiting.delete(key);
            reject(new ByteifyError(`The exchange of ${name} is closed.`));
          }
        },
      };
    },
    requestStop: () => send({ type: 'stop' }),
    fail: (message) => send({ type: 'failed', message }),
    async leave() {
      send({ type: 'leave' });
      const closed = new Promise<void>((resolve) => {
        worker.on('message', (message: FromThread) => {
          if (message === 'closed') resolve();
        });
      });
      post('close');
      await Promise.race([closed, exited]);
      await worker.terminate();
    },
  };
}
