/** @module Schedules requests: admits them, limits their time, and ends them when the client disconnects or the server stops. */
import { BYTE_OFFSET } from '../blt/index.js';
import {
  createShownText,
  type FinishReason,
  type Generator,
  replacedByte,
  type WrittenBytes,
} from '../generate/index.js';
import { counted } from '../ui/index.js';
import { ApiError } from './api-error.js';
import type { Limits } from './limits.js';
import type { TextRequest } from './request-fields.js';

/** A newly generated part of one text of a request. */
export interface TextDelta {
  /** The index of the text in the request: the texts of one prompt follow each other. */
  readonly index: number;
  /** The text that can be shown: an incomplete character waits for the rest of its bytes. */
  readonly text: string;
  /** The new bytes, including those of an incomplete character. */
  readonly written: WrittenBytes;
  /** Why the text ends here, in OpenAI's terms; null if it continues. */
  readonly finish: 'stop' | 'length' | null;
}

/** In bytes. */
export interface Usage {
  readonly promptBytes: number;
  readonly writtenBytes: number;
}

export interface Scheduler {
  /**
   * Generates the texts of a request. `deliver` gets each delta; an error that it throws ends the texts.
   * @param client aborted when the client disconnects
   * @throws ApiError 400 for more texts than can ever wait, 429 when too many wait, 504 when time runs out before the first byte, 503 when the server stops, 499 when the client
   * disconnects
   */
  write(request: TextRequest, client: AbortSignal, deliver: (delta: TextDelta) => void): Promise<Usage>;
  /** Refuses new requests, and ends those that still run after `graceMs` milliseconds. */
  stop(graceMs: number): Promise<void>;
  readonly stopping: boolean;
}

const FINISH: Readonly<Record<FinishReason, 'stop' | 'length'>> = { eos: 'stop', stop: 'stop', length: 'length' };
const NOTHING: WrittenBytes = {
  bytes: new Uint8Array(),
  entropyNats: new Float32Array(),
  beginsPatch: [],
  finish: 'length',
  logprobs: [],
  promptLogprobs: null,
};

/** Refused clients are told to retry after this long. */
const RETRY_SECONDS = 5;

const stoppingError = () => new ApiError(503, 'The server is stopping.', { code: 'stopping' });

export function createScheduler(generator: Generator, limits: Limits): Scheduler {
  /** The requests in progress: the controller that ends each, and its result. */
  const active = new Map<AbortController, Promise<unknown>>();
  let stopping = false;

  function checkCapacity(samples: number): void {
    const { slots, running, waiting } = generator.state();
    const most = slots + limits.waiting;
    if (samples > most)
      throw new ApiError(400, `This server takes at most ${counted(most, 'text')} per request, not ${samples}.`, {
        param: 'prompt',
      });
    if (running + waiting + samples <= most) return;
    throw new ApiError(429, `The queue is full, with ${counted(waiting, 'text')} waiting.`, {
      code: 'busy',
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  async function writeUntil(end: AbortController, request: TextRequest, deliver: (delta: TextDelta) => void) {
    const { generations, samples } = request;
    let started = false;
    let writtenBytes = 0;
    const timeIsUp = new ApiError(504, `No byte was written in ${limits.requestMs / 1000} s.`, { code: 'timeout' });
    const timer = setTimeout(() => end.abort(timeIsUp), limits.requestMs);
    const follow = async (text: AsyncIterable<WrittenBytes>, index: number): Promise<void> => {
      const shown = createShownText(replacedByte);
      try {
        for await (const written of text) {
          started = true;
          writtenBytes += written.bytes.length;
          const finish = written.finish === null ? null : FINISH[written.finish];
          const shownText = shown.push(written.bytes) + (finish === null ? '' : shown.end());
          deliver({ index, text: shownText, written, finish });
        }
      } catch (error) {
        if (error !== timeIsUp || !started) throw error;
        deliver({ index, text: shown.end(), written: NOTHING, finish: 'length' });
      }
    };
    try {
      await Promise.all(generator.generateAll(generations, { samples, signal: end.signal }).map(follow));
    } finally {
      clearTimeout(timer);
      // If one text failed, the others end too.
      end.abort();
    }
    const ids = generations.flatMap(({ prompt }) => prompt);
    return { promptBytes: ids.filter((id) => id >= BYTE_OFFSET).length, writtenBytes };
  }

  return {
    async write(request, client, deliver) {
      if (stopping) throw stoppingError();
      if (client.aborted) throw clientGone();
      checkCapacity(request.generations.length * request.samples);
      const end = new AbortController();
      const leave = () => end.abort(clientGone());
      client.addEventListener('abort', leave);
      const written = writeUntil(end, request, deliver);
      active.set(end, written);
      try {
        return await written;
      } finally {
        active.delete(end);
        client.removeEventListener('abort', leave);
      }
    },
    async stop(graceMs) {
      stopping = true;
      const ended = Promise.allSettled(active.values());
      const timer = setTimeout(() => {
        for (const end of active.keys()) end.abort(stoppingError());
      }, graceMs);
      await ended;
      clearTimeout(timer);
    },
    get stopping() {
      return stopping;
    },
  };
}

const clientGone = () => new ApiError(499, 'The client has disconnected.');
