/** @module Texts that are being written for clients: who gets in, how long it may take, and what ends when a client goes or the server stops. */
import {
  createShownText,
  type FinishReason,
  type Generator,
  replacedByte,
  type WrittenBytes,
} from '../generate/index.js';
import { ApiError } from './api-error.js';
import type { Limits } from './limits.js';
import type { TextRequest } from './request-fields.js';

/** Some of one of the texts of a request. */
export interface Piece {
  /** Which text. */
  readonly index: number;
  /** What can be shown: a character that is cut waits for the rest of its bytes. */
  readonly text: string;
  /** Its bytes, those that wait included. */
  readonly written: WrittenBytes;
  /** Why the text ends here, as OpenAI has it; null where it goes on. */
  readonly finish: 'stop' | 'length' | null;
}

/** In bytes. */
export interface Usage {
  readonly promptBytes: number;
  readonly writtenBytes: number;
}

export interface Texts {
  /**
   * Writes what a request asks for. `deliver` gets each piece; what it throws ends the texts.
   * @param client aborted when the client is gone
   * @throws ApiError 429 when too many texts wait, 504 when time is up before the first byte, 503 when the server stops
   */
  write(request: TextRequest, client: AbortSignal, deliver: (piece: Piece) => void): Promise<Usage>;
  /** Takes no more; ends what still runs after so many milliseconds. */
  stop(graceMs: number): Promise<void>;
  readonly stopping: boolean;
}

const FINISH: Readonly<Record<FinishReason, 'stop' | 'length'>> = { eos: 'stop', stop: 'stop', length: 'length' };
const NOTHING: WrittenBytes = {
  bytes: new Uint8Array(),
  entropyNats: new Float32Array(),
  beginsPatch: [],
  finish: 'length',
};

/** Clients that are sent away come again after about this long. */
const RETRY_SECONDS = 5;

const stoppingError = () => new ApiError(503, 'The server is stopping.', { code: 'stopping' });

export function createTexts(generator: Generator, limits: Limits): Texts {
  /** What ends the texts of each request that is being answered. */
  const active = new Map<AbortController, Promise<unknown>>();
  let stopping = false;

  function checkRoom(samples: number): void {
    const { lanes, running, waiting } = generator.state();
    if (running + waiting + samples <= lanes + limits.waiting) return;
    throw new ApiError(429, `${waiting} texts wait already.`, { code: 'busy', retryAfterSeconds: RETRY_SECONDS });
  }

  async function writeUntil(end: AbortController, request: TextRequest, deliver: (piece: Piece) => void) {
    const { generation, samples } = request;
    let begun = false;
    let writtenBytes = 0;
    const timeIsUp = new ApiError(504, `No byte was written in ${limits.requestMs / 1000} s.`, { code: 'timeout' });
    const timer = setTimeout(() => end.abort(timeIsUp), limits.requestMs);
    const follow = async (text: AsyncIterable<WrittenBytes>, index: number): Promise<void> => {
      const shown = createShownText(replacedByte);
      try {
        for await (const written of text) {
          begun = true;
          writtenBytes += written.bytes.length;
          const finish = written.finish === null ? null : FINISH[written.finish];
          const shownText = shown.push(written.bytes) + (finish === null ? '' : shown.end());
          deliver({ index, text: shownText, written, finish });
        }
      } catch (error) {
        if (error !== timeIsUp || !begun) throw error;
        deliver({ index, text: shown.end(), written: NOTHING, finish: 'length' });
      }
    };
    try {
      await Promise.all(generator.generate(generation, { samples, signal: end.signal }).map(follow));
    } finally {
      clearTimeout(timer);
      // Where one text failed the others end, too.
      end.abort();
    }
    return { promptBytes: generation.prompt.length - 1, writtenBytes };
  }

  return {
    async write(request, client, deliver) {
      if (stopping) throw stoppingError();
      if (client.aborted) throw clientGone();
      checkRoom(request.samples);
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

const clientGone = () => new ApiError(499, 'The client is gone.');
