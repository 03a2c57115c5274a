/**
 * @module Generates several sequences at once: requests wait for slots, slots read prompts piece by piece and then bytes, and what is written is
 * delivered as soon as nothing can take it back.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { textPositions } from '../blt/index.js';
import { canCompile, type RunMode } from '../engine/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { openDecoding, type ResidentModel } from '../model/index.js';
import { type ByteCounts, generateRound } from './round.js';
import { createSequences, type GenerationRequest, type WrittenBytes } from './sequence.js';
import { createSlotQueue } from './slot-queue.js';

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

export interface GeneratorState extends Readonly<ByteCounts> {
  readonly slots: number;
  /** Sequences being generated. */
  readonly running: number;
  /** Samples that wait for a slot. */
  readonly waiting: number;
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
  const decoding = openDecoding(model, {
    slots: slotCount,
    mode,
    draft,
    patches: Math.ceil(Math.min(expectedBytes, maxPositions) / BYTES_PER_PATCH),
  });
  const queue = createSlotQueue(slotCount, decoding.reset);
  const counts: ByteCounts = { promptBytes: 0, writtenBytes: 0, draftedBytes: 0, acceptedBytes: 0 };
  let askedBytes = 0;
  let compiling: Promise<void> | null = null;
  let closed = false;
  let working: Promise<void> | null = null;

  function compileBehind(): Promise<void> {
    compiling ??= decoding.compileBehind();
    return compiling;
  }

  async function work(): Promise<void> {
    try {
      while (!closed && queue.isBusy()) {
        queue.update();
        await generateRound({ decoding, running: queue.running, draft, counts });
        queue.removeFinished();
        // Not before the first byte is there. What cannot be compiled goes on uncompiled.
        if (counts.writtenBytes > 0 && askedBytes >= WORTH_COMPILING_BYTES) compileBehind().catch(() => undefined);
        // What runs operation by operation never waits: readers, signals and other requests get their turn here.
        await turnOfOthers();
      }
    } catch (error) {
      queue.failAll(error);
    }
    working = null;
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
      queue.add(sequences);
      working ??= work();
      return sequences.map(({ output }) => output);
    },
    state: () => ({ slots: slotCount, ...queue.state(), ...counts }),
    warmUp: compileBehind,
    async close() {
      closed = true;
      await working;
      queue.failAll(new ByteifyError('The generator was closed.'));
      decoding.dispose();
    },
  };
}
