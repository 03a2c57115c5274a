/** @module Builds responses: all texts in one document, or a stream of deltas as they are generated. */
import { randomBytes } from 'node:crypto';
import { decodeBytes } from '../blt/index.js';
import { apiErrorOf, errorBody } from './api-error.js';
import type { Endpoint } from './endpoint.js';
import { createEventStream, type EventStream } from './event-stream.js';
import type { Limits } from './limits.js';
import type { Entry, LogprobsFormat } from './logprobs-format.js';
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
  const count = request.generations.length * request.samples;
  const written: TextDelta[][] = Array.from({ length: count }, () => []);
  const usage = await scheduler.write(request, client, (delta) => written[delta.index]!.push(delta));
  return {
    ...headOf(job, endpoint.wholeObject),
    choices: written.map((deltas, index) => ({
      index,
      ...endpoint.whole(echoOf(job, index) + deltas.map(({ text }) => text).join('')),
      logprobs: wantsLogprobs(job) ? endpoint.logprobs()(deltas.flatMap(entriesOf(job))) : null,
      finish_reason: deltas.at(-1)!.finish,
      ...(request.patches && { byteify: patchFields(deltas) }),
    })),
    usage: usageFields(usage),
  };
}

const generationOf = ({ request }: CompletionJob, index: number) =>
  request.generations[Math.floor(index / request.samples)]!;

const wantsLogprobs = ({ request }: CompletionJob): boolean => request.generations[0]!.logprobs != null;

/** The prompt, as the beginning of a text, if it is wanted. */
const echoOf = (job: CompletionJob, index: number): string =>
  job.request.echo ? Buffer.from(decodeBytes(generationOf(job, index).prompt)).toString('utf8') : '';

/** The ids of a delta with their log-probabilities, those of the prompt included. */
const entriesOf =
  (job: CompletionJob) =>
  ({ index, written: { logprobs, promptLogprobs } }: TextDelta): readonly Entry[] => [
    ...(promptLogprobs ?? []).map(
      (one) => one ?? { id: generationOf(job, index).prompt[0]!, logprob: null, top: [] as const },
    ),
    ...logprobs,
  ];

/** Formats the events of a stream. */
function chunksOf(job: CompletionJob) {
  const { endpoint, request } = job;
  const head = headOf(job, endpoint.chunkObject);
  const line = (rest: object) => JSON.stringify({ ...head, ...rest });
  const withChoice = (index: number, finish: TextDelta['finish'], fields: object) =>
    line({
      choices: [{ index, logprobs: null, ...fields, finish_reason: finish }],
      ...(request.includeUsage && { usage: null }),
    });
  const opened = new Set<number>();
  const formats = new Map<number, LogprobsFormat>();
  function logprobsOf(delta: TextDelta): object {
    const entries = entriesOf(job)(delta);
    if (entries.length === 0) return {};
    const format = formats.get(delta.index) ?? endpoint.logprobs();
    formats.set(delta.index, format);
    return { logprobs: format(entries) };
  }
  return {
    delta(delta: TextDelta): string[] {
      const { index, text, finish } = delta;
      const isFirst = !opened.has(index);
      const opening = isFirst && endpoint.opening !== null ? [withChoice(index, null, endpoint.opening)] : [];
      opened.add(index);
      const shown = (isFirst ? echoOf(job, index) : '') + text;
      const logprobs = logprobsOf(delta);
      if (shown === '' && finish === null && !request.patches && !('logprobs' in logprobs)) return opening;
      const patches = request.patches && { byteify: patchFields([delta]) };
      return [...opening, withChoice(index, finish, { ...endpoint.delta(shown), ...patches, ...logprobs })];
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
