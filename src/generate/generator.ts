/**
 * @module Generates several sequences at once. Requests wait for sequence slots; a slot reads its prompt in chunks and then generates bytes,
 * which are delivered as soon as they are final.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { textPositions } from '../blt/index.js';
import type { RunMode } from '../engine/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { openDecoding, type ResidentModel } from '../model/index.js';
import { type ByteCounts, generateRound } from './round.js';
import { createSequences, type GenerationRequest, type Sequence, type WrittenBytes } from './sequence.js';
import { createHolder, sharedLength } from './shared-prompt.js';
import { createSlotQueue } from './slot-queue.js';

export interface GeneratorOptions {
  /** Number of sequences generated at the same time (default 1); further ones wait. */
  readonly slots?: number;
  /** Number of bytes that the patcher drafts, to be read in one step of the local models; 0 (the default) and 1 disable drafting. */
  readonly draft?: number;
  /** How steps run (default: compiled by XLA if possible, and uncompiled until compilation is done). */
  readonly mode?: RunMode;
  /** Length of a text, in bytes, for which memory is allocated at first (default 1024). */
  readonly expectedBytes?: number;
}

export interface GeneratorState extends Readonly<ByteCounts> {
  readonly slots: number;
  /** Sequences being generated. */
  readonly running: number;
  /** Samples waiting for a slot. */
  readonly waiting: number;
}

export interface Generator {
  /**
   * Generates `samples` sequences (default 1) after one prompt, which is read once. Their seeds are consecutive, from the request's seed on.
   * A sequence ends with `length` when prompt and text reach the model's maximum length. It frees its slot when its reader stops early.
   * @param signal removes the sequences from their slots or the queue at the next byte; they then throw its reason
   * @throws UsageError for more samples than slots, or a prompt that fills the model's maximum length; ByteifyError when the generator is closed
   */
  generate(
    request: GenerationRequest,
    options?: { samples?: number; signal?: AbortSignal },
  ): AsyncIterable<WrittenBytes>[];
  /**
   * Generates `samples` sequences after each of several prompts, and reads what the prompts begin with in common only once.
   * @returns all sequences of the first prompt, then those of the next
   * @throws as `generate` does
   */
  generateAll(
    requests: readonly GenerationRequest[],
    options?: { samples?: number; signal?: AbortSignal },
  ): AsyncIterable<WrittenBytes>[];
  state(): GeneratorState;
  /**
   * Compiles the steps on another thread, while sequences may be generated. Bytes then take less time, and are the same up to rounding.
   * It starts automatically once enough bytes have been requested to justify it.
   * @returns when all steps are compiled @throws the error of the first step that could not be compiled
   */
  warmUp(): Promise<void>;
  /** Ends every sequence with an error, and releases memory. The caller keeps the model. */
  close(): Promise<void>;
}

/** The mean patch is rarely shorter. */
const BYTES_PER_PATCH = 3;

/** Compilation takes about as long as generating this many bytes without it, whatever the size of the model. */
const COMPILE_FROM_BYTES = 1000;

/** Opens a generator. The engine must be started. @param model must stay open until the generator is closed */
export function openGenerator(model: ResidentModel, options: GeneratorOptions = {}): Generator {
  const { slots: slotCount = 1, draft = 0, mode = 'xla', expectedBytes = 1024 } = options;
  const maxPositions = textPositions(model.config);
  const decoding = openDecoding(model, {
    slots: slotCount,
    mode,
    draft,
    patches: Math.ceil(Math.min(expectedBytes, maxPositions) / BYTES_PER_PATCH),
  });
  const queue = createSlotQueue(slotCount, decoding.reset);
  const counts: ByteCounts = { promptBytes: 0, writtenBytes: 0, draftedBytes: 0, acceptedBytes: 0 };
  let requestedBytes = 0;
  let compiling: Promise<void> | null = null;
  let closed = false;
  let working: Promise<void> | null = null;

  function compileInBackground(): Promise<void> {
    compiling ??= decoding.compileInBackground();
    return compiling;
  }

  async function work(): Promise<void> {
    try {
      while (!closed && queue.isBusy()) {
        queue.update();
        await generateRound({ decoding, running: queue.running, draft, counts });
        queue.removeFinished();
        // Not before the first byte. A step that cannot be compiled keeps running uncompiled.
        if (counts.writtenBytes > 0 && requestedBytes >= COMPILE_FROM_BYTES)
          compileInBackground().catch(() => undefined);
        // Eager steps never yield, so readers, signals and other requests get their turn here.
        await yieldToOthers();
      }
    } catch (error) {
      queue.failAll(error);
    }
    working = null;
  }

  /** The request with its length limited by the model's. @throws UsageError for a prompt that fills it */
  function limited(request: GenerationRequest): GenerationRequest {
    const { length } = request.prompt;
    if (length >= maxPositions)
      throw new UsageError(
        `The prompt is ${length - 1} bytes long; prompt and generated text together are limited to ${maxPositions - 1} bytes by this model.`,
        { hint: 'Use a shorter prompt.' },
      );
    return { ...request, maxBytes: Math.min(request.maxBytes, maxPositions - length) };
  }

  function generateAll(
    requests: readonly GenerationRequest[],
    { samples = 1, signal }: { samples?: number; signal?: AbortSignal } = {},
  ): AsyncIterable<WrittenBytes>[] {
    if (closed) throw new ByteifyError('The generator is closed.');
    if (samples > slotCount)
      throw new UsageError(`${samples} samples were requested, but at most ${slotCount} can be generated at a time.`);
    const given = requests.map(limited);
    // The shared beginning takes a slot of its own.
    const shared = slotCount > samples ? sharedLength(given.map(({ prompt }) => prompt)) : 0;
    const batch: Sequence[] = [];
    const holder = shared === 0 ? null : createHolder(given[0]!.prompt.slice(0, shared), given[0]!, () => batch);
    const groups = given.map((request) => createSequences(request, samples, { signal, holder }));
    batch.push(...groups.flat());
    if (holder !== null) queue.add([holder]);
    for (const sequences of groups) queue.add(sequences);
    requestedBytes += given.reduce((sum, { maxBytes }) => sum + samples * maxBytes, 0);
    working ??= work();
    return batch.map(({ output }) => output);
  }

  return {
    generate: (request, options) => generateAll([request], options),
    generateAll,
    state: () => ({ slots: slotCount, ...queue.state(), ...counts }),
    warmUp: compileInBackground,
    async close() {
      closed = true;
      await working;
      queue.failAll(new ByteifyError('The generator was closed.'));
      decoding.dispose();
    },
  };
}
