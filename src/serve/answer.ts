/** @module What a client gets: all texts in one document, or pieces as they are written. */
import { randomBytes } from 'node:crypto';
import { apiErrorOf, errorBody } from './api-error.js';
import type { Endpoint } from './endpoint.js';
import { createEventStream, type EventStream } from './event-stream.js';
import type { Limits } from './limits.js';
import type { TextRequest } from './request-fields.js';
import type { Piece, Scheduler, Usage } from './scheduler.js';

export interface Question {
  readonly endpoint: Endpoint;
  readonly request: TextRequest;
  /** The model's name in answers. */
  readonly model: string;
  /** Aborted when the client is gone. */
  readonly client: AbortSignal;
}

interface PatchFields {
  readonly bytes: number[];
  readonly entropy_nats: number[];
  readonly begins_patch: boolean[];
}

const DECIMALS = 4;

const patchFields = (pieces: readonly Piece[]): PatchFields => ({
  bytes: pieces.flatMap(({ written }) => [...written.bytes]),
  entropy_nats: pieces.flatMap(({ written }) => Array.from(written.entropyNats, (n) => Number(n.toFixed(DECIMALS)))),
  begins_patch: pieces.flatMap(({ written }) => written.beginsPatch),
});

const headOf = ({ endpoint, model }: Question, object: string) => ({
  id: `${endpoint.idPrefix}${randomBytes(12).toString('hex')}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** OpenAI counts tokens; here they are bytes. */
const usageFields = ({ promptBytes, writtenBytes }: Usage) => ({
  prompt_tokens: promptBytes,
  completion_tokens: writtenBytes,
  total_tokens: promptBytes + writtenBytes,
});

export async function answerWhole(question: Question, scheduler: Scheduler): Promise<object> {
  const { endpoint, request, client } = question;
  const written: Piece[][] = Array.from({ length: request.samples }, () => []);
  const usage = await scheduler.write(request, client, (piece) => written[piece.index]!.push(piece));
  return {
    ...headOf(question, endpoint.wholeObject),
    choices: written.map((pieces, index) => ({
      index,
      ...endpoint.whole(pieces.map(({ text }) => text).join('')),
      logprobs: null,
      finish_reason: pieces.at(-1)!.finish,
      ...(request.patches && { byteify: patchFields(pieces) }),
    })),
    usage: usageFields(usage),
  };
}

/** The lines of a stream. */
function chunksOf(question: Question) {
  const { endpoint, request } = question;
  const head = headOf(question, endpoint.chunkObject);
  const line = (rest: object) => JSON.stringify({ ...head, ...rest });
  const withChoice = (index: number, finish: Piece['finish'], fields: object) =>
    line({
      choices: [{ index, ...fields, logprobs: null, finish_reason: finish }],
      ...(request.includeUsage && { usage: null }),
    });
  const opened = new Set<number>();
  return {
    piece(piece: Piece): string[] {
      const { index, text, finish } = piece;
      const opening = opened.has(index) || endpoint.opening === null ? [] : [withChoice(index, null, endpoint.opening)];
      opened.add(index);
      if (text === '' && finish === null && !request.patches) return opening;
      const patches = request.patches && { byteify: patchFields([piece]) };
      return [...opening, withChoice(index, finish, { ...endpoint.piece(text), ...patches })];
    },
    end: (usage: Usage): string[] => [
      ...(request.includeUsage ? [line({ choices: [], usage: usageFields(usage) })] : []),
      '[DONE]',
    ],
    failure: (error: unknown): string => JSON.stringify(errorBody(apiErrorOf(error))),
  };
}

/**
 * Settles when the first piece is there, so that what goes wrong before it has a status of its own; later it is the stream's last event.
 * @param options.onSlow called when the client does not read
 * @param options.onFailure called with what ended a stream that had begun
 */
export async function answerStream(
  question: Question,
  scheduler: Scheduler,
  options: { limits: Limits; onSlow: () => void; onFailure: (error: unknown) => void },
): Promise<EventStream['body']> {
  const reader = new AbortController();
  const leave = () => reader.abort();
  question.client.addEventListener('abort', leave);
  if (question.client.aborted) leave();
  const events = createEventStream(options.limits, { onGone: leave, onSlow: options.onSlow });
  const chunks = chunksOf(question);
  let begun = false;
  return await new Promise((resolve, reject) => {
    scheduler
      .write(question.request, reader.signal, (piece) => {
        begun = true;
        for (const line of chunks.piece(piece)) events.send(line);
        resolve(events.body);
      })
      .then(
        (usage) => {
          for (const line of chunks.end(usage)) events.send(line);
        },
        (error: unknown) => {
          if (!begun) return reject(error);
          options.onFailure(error);
          events.send(chunks.failure(error));
        },
      )
      .finally(() => {
        question.client.removeEventListener('abort', leave);
        events.end();
      });
  });
}
