/**
 * @module Writes several texts at once: requests wait for a lane, lanes read prompts piece by piece and then bytes, and what is written is given on
 * as soon as nothing can take it back.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { BOS, BYTE_OFFSET, textPositions } from '../blt/index.js';
import { canCompile } from '../engine/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { type Decoding, type HeldBlt, openDecoding } from '../model/index.js';
import { createGeneration, type Generation, type GenerationRequest, type WrittenBytes } from './generation.js';
import { createMailbox, type Mailbox } from './mailbox.js';

export interface GeneratorOptions {
  /** Texts that are written at the same time (default 1); further ones wait. */
  readonly lanes?: number;
  /** Drafts this many bytes by the patcher, and reads them in one step of the local models; 0 or 1 does not (the default). */
  readonly draft?: number;
  /** How steps run (default: compiled by XLA where that can be). */
  readonly mode?: 'eager' | 'graph' | 'xla';
  /** Bytes of a text that there is room for to begin with (default 1024). */
  readonly expectedBytes?: number;
}

export interface GeneratorState {
  readonly lanes: number;
  /** Texts being written. */
  readonly running: number;
  /** Samples that wait for a lane. */
  readonly waiting: number;
  /** Bytes of prompts that were read, and bytes that were written, since the beginning. */
  readonly promptBytes: number;
  readonly writtenBytes: number;
  /** Bytes that were drafted, and those of them that the model would have written as well. */
  readonly draftedBytes: number;
  readonly acceptedBytes: number;
}

export interface Generator {
  /**
   * Writes `samples` texts after one prompt, which is read once. They are seeded with the request's seed, the next one, and so on.
   * A text ends with `length` where prompt and text are as long as what the model reads, and gives its lane back where its reader breaks off.
   * @param signal gives the lanes back, or the place in the queue, at the next byte; the texts then throw its reason
   * @throws UsageError for more samples than lanes, or a prompt that leaves no room for a byte
   */
  generate(
    request: GenerationRequest,
    options?: { samples?: number; signal?: AbortSignal },
  ): AsyncIterable<WrittenBytes>[];
  state(): GeneratorState;
  /** Compiles the steps, which the first bytes would wait for otherwise. Before the first text. */
  warmUp(): Promise<void>;
  /** Ends every text with an error, and releases what was kept. The model stays the caller's. */
  close(): Promise<void>;
}

/** Text after one prompt. */
interface Job {
  readonly samples: readonly Generation[];
  readonly mailboxes: readonly Mailbox<WrittenBytes>[];
  readonly signal: AbortSignal | undefined;
}

/** A lane that writes a text. */
interface Running {
  readonly job: Job;
  readonly generation: Generation;
  readonly mailbox: Mailbox<WrittenBytes>;
}

/** Patches are rarely shorter on average. */
const BYTES_A_PATCH = 3;

/** The engine must be started. */
export function openGenerator(model: HeldBlt, options: GeneratorOptions = {}): Generator {
  const { lanes: laneCount = 1, draft = 0, mode = canCompile() ? 'xla' : 'eager', expectedBytes = 1024 } = options;
  const maxPositions = textPositions(model.config);
  const decoding: Decoding = openDecoding(model, {
    lanes: laneCount,
    mode,
    draft,
    patches: Math.ceil(Math.min(expectedBytes, maxPositions) / BYTES_A_PATCH),
  });
  /** Bytes of a prompt that are read before other lanes get their next byte. */
  const promptPiece = decoding.counts.at(-1)!;
  const running: (Running | null)[] = new Array(laneCount).fill(null);
  const waiting: Job[] = [];
  let promptBytes = 0;
  let writtenBytes = 0;
  let draftedBytes = 0;
  let acceptedBytes = 0;
  let closed = false;
  let working: Promise<void> | null = null;

  const freeLanes = () => [...running.keys()].filter((lane) => running[lane] === null);

  /** Jobs whose turn it is get lanes; the first of a job reads the prompt. */
  function admit(): void {
    for (let job = waiting[0]; job !== undefined; job = waiting[0]) {
      const free = freeLanes();
      if (free.length < job.samples.length) return;
      waiting.shift();
      job.samples.forEach((generation, i) => {
        const lane = free[i]!;
        decoding.reset(lane);
        running[lane] = { job: job!, generation, mailbox: job!.mailboxes[i]! };
      });
    }
  }

  const readsPrompt = ({ job, generation }: Running) => generation === job.samples[0];

  /** What a lane reads next. Lanes whose prompt another one reads have nothing to read. */
  async function nextIds(lane: number): Promise<readonly number[]> {
    const text = running[lane];
    if (text === null || text === undefined) return [];
    const { prompt } = text.generation.request;
    const { length } = decoding.state(lane);
    if (text.generation.next === null) return readsPrompt(text) ? prompt.slice(length, length + promptPiece) : [];
    return draft > 1 ? await decoding.draft(lane, text.generation.next) : [text.generation.next];
  }

  /** Which of the last `count` ids of a lane end a patch. */
  function closedAmongLast(lane: number, count: number): boolean[] {
    const { length, ends } = decoding.state(lane);
    const recent = new Set(ends.slice(-count));
    return Array.from({ length: count }, (_, i) => recent.has(length - count + i + 1));
  }

  function tell({ generation, mailbox }: Running): void {
    const written = generation.take();
    if (written === null) return;
    writtenBytes += written.bytes.length;
    mailbox.push(written);
    if (written.finish !== null) mailbox.end();
  }

  /** Texts that nobody wants any more give their lanes and their places in the queue back. */
  function dropAborted(): void {
    const aborted = ({ signal }: Job) => signal?.aborted === true;
    const jobs = [...waiting, ...running.flatMap((text) => text?.job ?? [])].filter(aborted);
    for (const { mailboxes, signal } of jobs) for (const mailbox of mailboxes) mailbox.fail(signal!.reason);
    for (const [lane, text] of running.entries())
      if (text !== null && (aborted(text.job) || text.mailbox.abandoned)) running[lane] = null;
    waiting.splice(0, waiting.length, ...waiting.filter((job) => !aborted(job)));
  }

  async function round(): Promise<void> {
    dropAborted();
    admit();
    const ids: (readonly number[])[] = [];
    for (const lane of running.keys()) ids.push(await nextIds(lane));
    if (ids.every(({ length }) => length === 0)) return;
    const outputs = await decoding.read(ids);
    for (const [lane, text] of running.entries()) {
      if (text === null || ids[lane]!.length === 0) continue;
      const { length } = decoding.state(lane);
      const { job, generation } = text;
      const { prompt } = generation.request;
      const output = outputs[lane]!;
      if (generation.next !== null) {
        const read = { ids: ids[lane]!, ...output, closed: closedAmongLast(lane, ids[lane]!.length) };
        const stand = generation.draw(read);
        // The first id was drawn.
        draftedBytes += read.ids.length - 1;
        acceptedBytes += stand - 1;
        if (stand < read.ids.length) decoding.rewind(lane, length - read.ids.length + stand);
      } else {
        promptBytes += ids[lane]!.length;
        if (length < prompt.length) continue;
        const last = { ids: prompt.slice(-1), closed: closedAmongLast(lane, 1) };
        const read = {
          ...last,
          logits: output.logits.slice(-model.config.vocabSize),
          entropies: output.entropies.slice(-1),
        };
        for (const [other, sibling] of running.entries()) {
          if (sibling === null || sibling.job !== job) continue;
          if (other !== lane) decoding.fork(lane, other);
          sibling.generation.draw(read);
        }
      }
    }
    for (const [lane, text] of running.entries()) {
      if (text === null) continue;
      tell(text);
      if (text.generation.finish !== null) running[lane] = null;
    }
  }

  async function work(): Promise<void> {
    try {
      while (!closed && (waiting.length > 0 || running.some((text) => text !== null))) {
        await round();
        // What runs operation by operation never waits: readers, signals and other requests get their turn here.
        await turnOfOthers();
      }
    } catch (error) {
      failAll(error);
    }
    working = null;
  }

  function failAll(error: unknown): void {
    for (const text of running) text?.mailbox.fail(error);
    for (const mailbox of waiting.flatMap(({ mailboxes }) => mailboxes)) mailbox.fail(error);
    running.fill(null);
    waiting.length = 0;
  }

  return {
    generate(request, { samples = 1, signal } = {}) {
      if (closed) throw new ByteifyError('The generator is closed.');
      if (samples > laneCount)
        throw new UsageError(
          `${samples} samples at once are more than the ${laneCount} texts that are written at a time.`,
        );
      if (request.prompt.length >= maxPositions)
        throw new UsageError(
          `The prompt is ${request.prompt.length - 1} bytes long; this model reads ${maxPositions - 1} together with what it writes.`,
          { hint: 'Give a shorter prompt.' },
        );
      const maxBytes = Math.min(request.maxBytes, maxPositions - request.prompt.length);
      const generations = Array.from({ length: samples }, (_, i) =>
        createGeneration({ ...request, maxBytes, seed: request.seed + i }),
      );
      const job = { samples: generations, mailboxes: generations.map(() => createMailbox<WrittenBytes>()), signal };
      waiting.push(job);
      working ??= work();
      return job.mailboxes.map(({ messages }) => messages);
    },
    state: () => ({
      lanes: laneCount,
      running: running.filter((text) => text !== null).length,
      waiting: waiting.reduce((sum, { samples }) => sum + samples.length, 0),
      promptBytes,
      writtenBytes,
      draftedBytes,
      acceptedBytes,
    }),
    async warmUp() {
      const text = (length: number) => [BOS, ...new Array(length - 1).fill(BYTE_OFFSET)];
      // BOS is a patch of its own, so a text of it alone goes through every step that a byte can.
      for (const count of decoding.counts) {
        await decoding.read([text(Math.min(count, maxPositions))]);
        decoding.reset(0);
      }
      await decoding.read(new Array(laneCount).fill(text(1)));
      for (const lane of running.keys()) decoding.reset(lane);
    },
    async close() {
      closed = true;
      await working;
      failAll(new ByteifyError('The generator was closed.'));
      decoding.dispose();
    },
  };
}
