/**
 * @module Generates several sequences at once: requests wait for slots, slots read prompts piece by piece and then bytes, and what is written is
 * delivered as soon as nothing can take it back.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { textPositions } from '../blt/index.js';
import { canCompile, type RunMode } from '../engine/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { type Decoding, openDecoding, type ResidentModel, type SlotOutput } from '../model/index.js';
import { createSequences, type GenerationRequest, type ReadIds, type Sequence, type WrittenBytes } from './sequence.js';

export interface GeneratorOptions {
  /** Sequences that are generated at the same time (default 1); further ones wait. */
  readonly slots?: number;
  /** Drafts this many bytes by the patcher, and reads them in one step of the local models; 0 or 1 does not (the default). */
  readonly draft?: number;
  /** How steps run (default: compiled by XLA where that can be, and uncompiled until they are). */
  readonly mode?: RunMode;
  /** Bytes of a text that there is room for to begin with (default 1024). */
  readonly expectedBytes?: number;
}

export interface GeneratorState {
  readonly slots: number;
  /** Sequences being generated. */
  readonly running: number;
  /** Samples that wait for a slot. */
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
   * Generates `samples` sequences after one prompt, which is read once. They are seeded with the request's seed, the next one, and so on.
   * A sequence ends with `length` where prompt and text are as long as what the model reads, and frees its slot where its reader breaks off.
   * @param signal frees the slots, or the place in the queue, at the next byte; the sequences then throw its reason
   * @throws UsageError for more samples than slots, or a prompt that leaves no room for a byte
   */
  generate(
    request: GenerationRequest,
    options?: { samples?: number; signal?: AbortSignal },
  ): AsyncIterable<WrittenBytes>[];
  state(): GeneratorState;
  /**
   * Compiles the steps on another thread, while sequences may be generated: bytes then take less time, and are the same but for rounding.
   * Begins by itself once enough bytes were asked for to be worth it. @returns when all are compiled
   */
  warmUp(): Promise<void>;
  /** Ends every sequence with an error, and releases what was kept. The model stays the caller's. */
  close(): Promise<void>;
}

/** Patches are rarely shorter on average. */
const BYTES_PER_PATCH = 3;

/** Compilation takes about as long as it takes to write this many bytes without it, whatever the size of the model. */
const WORTH_COMPILING_BYTES = 1000;

/** The engine must be started. */
export function openGenerator(model: ResidentModel, options: GeneratorOptions = {}): Generator {
  const { slots: slotCount = 1, draft = 0, mode = canCompile() ? 'xla' : 'eager', expectedBytes = 1024 } = options;
  const maxPositions = textPositions(model.config);
  const decoding: Decoding = openDecoding(model, {
    slots: slotCount,
    mode,
    draft,
    patches: Math.ceil(Math.min(expectedBytes, maxPositions) / BYTES_PER_PATCH),
  });
  /** Bytes of a prompt that are read before other slots get their next byte. */
  const promptPiece = decoding.counts.at(-1)!;
  /** By slot. */
  const running: (Sequence | null)[] = new Array(slotCount).fill(null);
  /** The sequences of each request. */
  const waiting: (readonly Sequence[])[] = [];
  let askedBytes = 0;
  let promptBytes = 0;
  let writtenBytes = 0;
  let draftedBytes = 0;
  let acceptedBytes = 0;
  let compiling: Promise<void> | null = null;
  let closed = false;
  let working: Promise<void> | null = null;

  function compileBehind(): Promise<void> {
    compiling ??= decoding.compileBehind();
    return compiling;
  }

  /** Requests whose turn it is get slots. */
  function admit(): void {
    for (let sequences = waiting[0]; sequences !== undefined; sequences = waiting[0]) {
      const free = [...running.keys()].filter((slot) => running[slot] === null);
      if (free.length < sequences.length) return;
      waiting.shift();
      sequences.forEach((sequence, i) => {
        const slot = free[i]!;
        decoding.reset(slot);
        running[slot] = sequence;
      });
    }
  }

  /** Whether a sequence is the one of its request that reads the prompt. */
  const readsPrompt = ({ siblings }: Sequence, slot: number): boolean =>
    running.findIndex((other) => other?.siblings === siblings) === slot;

  /** What a slot reads next. Those whose prompt another one reads have nothing to read. */
  async function nextIds(slot: number): Promise<readonly number[]> {
    const sequence = running[slot];
    if (sequence === null || sequence === undefined) return [];
    const { prompt, next } = sequence;
    const { length } = decoding.state(slot);
    if (next === null) return readsPrompt(sequence, slot) ? prompt.slice(length, length + promptPiece) : [];
    return draft > 1 ? await decoding.draft(slot, next) : [next];
  }

  /** What nobody wants any more frees its slot or its place in the queue. */
  function dropAbandoned(): void {
    const isDropped = (sequence: Sequence) => {
      if (sequence.abandoned) sequence.fail(null);
      return sequence.abandoned;
    };
    for (const [slot, sequence] of running.entries())
      if (sequence !== null && isDropped(sequence)) running[slot] = null;
    const wanted = waiting.filter((sequences) => !sequences.map(isDropped).every((dropped) => dropped));
    waiting.splice(0, waiting.length, ...wanted);
  }

  /** Draws what follows the bytes that a slot read, and forgets those of them that were drafted in vain. */
  function continueText(slot: number, sequence: Sequence, read: ReadIds): void {
    const stand = sequence.draw(read);
    // The first id was drawn.
    draftedBytes += read.ids.length - 1;
    acceptedBytes += stand - 1;
    const { length } = decoding.state(slot);
    if (stand < read.ids.length) decoding.rewind(slot, length - read.ids.length + stand);
  }

  /** Draws the first byte after a prompt that a slot has read, for every sequence of its request. */
  function beginTexts(
    slot: number,
    { prompt, siblings }: Sequence,
    { logits, entropies, closed: ends }: SlotOutput,
  ): void {
    const last = {
      ids: prompt.slice(-1),
      logits: logits.slice(-model.config.vocabSize),
      entropies: entropies.slice(-1),
      closed: ends.slice(-1),
    };
    for (const [other, sibling] of running.entries()) {
      if (sibling === null || sibling.siblings !== siblings) continue;
      if (other !== slot) decoding.fork(slot, other);
      sibling.draw(last);
    }
  }

  async function round(): Promise<void> {
    dropAbandoned();
    admit();
    const ids: (readonly number[])[] = [];
    for (const slot of running.keys()) ids.push(await nextIds(slot));
    if (ids.every(({ length }) => length === 0)) return;
    const outputs = await decoding.read(ids);
    for (const [slot, sequence] of running.entries()) {
      const read = ids[slot]!;
      if (sequence === null || read.length === 0) continue;
      if (sequence.next !== null) continueText(slot, sequence, { ids: read, ...outputs[slot]! });
      else {
        promptBytes += read.length;
        if (decoding.state(slot).length === sequence.prompt.length) beginTexts(slot, sequence, outputs[slot]!);
      }
    }
    for (const [slot, sequence] of running.entries()) {
      if (sequence === null) continue;
      writtenBytes += sequence.deliver();
      if (sequence.finish !== null) running[slot] = null;
    }
  }

  async function work(): Promise<void> {
    try {
      while (!closed && (waiting.length > 0 || running.some((sequence) => sequence !== null))) {
        await round();
        // Not before the first byte is there. What cannot be compiled goes on uncompiled.
        if (writtenBytes > 0 && askedBytes >= WORTH_COMPILING_BYTES) compileBehind().catch(() => undefined);
        // What runs operation by operation never waits: readers, signals and other requests get their turn here.
        await turnOfOthers();
      }
    } catch (error) {
      failAll(error);
    }
    working = null;
  }

  function failAll(error: unknown): void {
    for (const sequence of [...running, ...waiting.flat()]) sequence?.fail(error);
    running.fill(null);
    waiting.length = 0;
  }

  return {
    generate(request, { samples = 1, signal } = {}) {
      if (closed) throw new ByteifyError('The generator is closed.');
      if (samples > slotCount)
        throw new UsageError(
          `${samples} samples at once are more than the ${slotCount} texts that are written at a time.`,
        );
      if (request.prompt.length >= maxPositions)
        throw new UsageError(
          `The prompt is ${request.prompt.length - 1} bytes long; this model reads ${maxPositions - 1} together with what it writes.`,
          { hint: 'Give a shorter prompt.' },
        );
      const maxBytes = Math.min(request.maxBytes, maxPositions - request.prompt.length);
      const sequences = createSequences({ ...request, maxBytes }, samples, signal);
      askedBytes += samples * maxBytes;
      waiting.push(sequences);
      working ??= work();
      return sequences.map(({ output }) => output);
    },
    state: () => ({
      slots: slotCount,
      running: running.filter((sequence) => sequence !== null).length,
      waiting: waiting.flat().length,
      promptBytes,
      writtenBytes,
      draftedBytes,
      acceptedBytes,
    }),
    warmUp: compileBehind,
    async close() {
      closed = true;
      await working;
      failAll(new ByteifyError('The generator was closed.'));
      decoding.dispose();
    },
  };
}
