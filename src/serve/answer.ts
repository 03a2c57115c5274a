/** @module Builds responses: all texts in one document, or a stream of deltas as they are generated. */
import { randomBytes } from 'node:crypto';
import { apiErrorOf, errorBody } from './api-error.js';
import type { Endpoint } from './endpoint.js';
import { createEventStream, type EventStream } from './event-stream.js';
import type { Limits } from './limits.js';
import type { TextRequest } from './request-fields.js';
import type { Scheduler, TextDelta, Usage } from './scheduler.js';

/** A parsed request, and what its response needs. */
export interface CompletionJob {
  readonly endpoint: Endpoint;
  readonly request: TextRequest;
  /** The model's name in responses. */
  readonly model: string;
  /** Aborted when the client disconnects. */
  readonly client: AbortSignal;
}

interface PatchFields {
  readonly bytes: number[];
  readonly entropy_nats: number[];
  readonly begins_patch: boolean[];
}

const DECIMALS = 4;

const patchFields = (deltas: readonly TextDelta[]): PatchFields => ({
  bytes: deltas.flatMap(({ written }) => [...written.bytes]),
  entropy_nats: deltas.flatMap(({ written }) => Array.from(written.entropyNats, (n) => Number(n.toFixed(DECIMALS)))),
  begins_patch: deltas.flatMap(({ written }) => written.beginsPatch),
});

const headOf = ({ endpoint, model }: CompletionJob, object: string) => ({
  id: `${endpoint.idPrefix}${randomBytes(12).toString('hex')}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model,
});

/** OpenAI's API counts tokens; this server counts bytes instead. */
const usageFields = ({ promptBytes, writtenBytes }: Usage) => ({
  prompt_tokens: promptBytes,
  completion_tokens: writtenBytes,
  total_tokens: promptBytes + writtenBytes,
});

/** Generates all texts of a request and returns them in one document. @throws ApiError as `Scheduler.write` does */
export async function answerWhole(job: CompletionJob, scheduler: Scheduler): Promise<object> {
  const { endpoint, request, client } = job;
  const written: TextDelta[][] = Array.from({ length: request.samples }, () => []);
  const usage = await scheduler.write(request, client, (delta) => written[delta.index]!.push(delta));
  return {
    ...headOf(job, endpoint.wholeObject),
    choices: written.map((deltas, index) => ({
      index,
      ...endpoint.whole(deltas.map(({ text }) => text).join('')),
      logprobs: null,
      finish_reason: deltas.at(-1)!.finish,
      ...(request.patches && { byteify: patchFields(deltas) }),
    })),
    usage: usageFields(usage),
  };
}

/** Formats the events of a stream. */
function chunksOf(job: CompletionJob) {
  const { endpoint, request } = job;
  const head = headOf(job, endpoint.chunkObject);
  const line = (rest: object) => JSON.stringify({ ...head, ...rest });
  const withChoice = (index: number, finish: TextDelta['finish'], fields: object) =>
    line({
      choices: [{ index, ...fields, logprobs: null, finish_reason: finish }],
      ...(request.includeUsage && { usage: null }),
    });
  const opened = new Set<number>();
  return {
    delta(delta: TextDelta): string[] {
      const { index, text, finish } = delta;
      const opening = opened.has(index) || endpoint.opening === null ? [] : [withChoice(index, null, endpoint.opening)];
      opened.add(index);
      if (text === '' && finish === null && !request.patches) return opening;
      const patches = request.patches && { byteify: patchFields([delta]) };
      return [...opening, withChoice(index, finish, { ...endpoint.delta(text), ...patches })];
    },
    end: (usage: Usage): string[] => [
      ...(request.includeUsage ? [line({ choices: [], usage: usageFields(usage) })] : []),
      '[DONE]',
    ],
    failure: (error: unknown): string => JSON.stringify(errorBody(apiErrorOf(error))),
  };
}

/**
 * Streams the texts of a request as server-sent events. Settles at the first delta, so that an error before it has its own status; a later
 * error becomes the last event of the stream.
 * @param options.onSlow called when the client does not read
 * @param options.onFailure called with the error that ended a stream after its first delta
 * @throws ApiError as `Scheduler.write` does, before the first delta
 */
export async function answerStream(
  job: CompletionJob,
  scheduler: Scheduler,
  options: { limits: Limits; onSlow: () => void; onFailure: (error: unknown) => void },
): Promise<EventStream['body']> {
  const reader = new AbortController();
  const leave = () => reader.abort();
  job.client.addEventListener('abort', leave);
  if (job.client.aborted) leave();
  const events = createEventStream(options.limits, { onGone: leave, onSlow: options.onSlow });
  const chunks = chunksOf(job);
  let started = false;
  return await new Promise((resolve, reject) => {
    scheduler
      .write(job.request, reader.signal, (delta) => {
        started = true;
        for (const line of chunks.delta(delta)) events.send(line);
        resolve(events.body);
      })
      .then(
        (usage) => {
          for (const line of chunks.end(usage)) events.send(line);
        },
        (error: unknown) => {
          if (!started) return reject(error);
          options.onFailure(error);
          events.send(chunks.failure(error));
        },
      )
      .finally(() => {
        job.client.removeEventListener('abort', leave);
        events.end();
      });
  });
}
