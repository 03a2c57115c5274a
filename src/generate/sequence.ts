/** @module One sequence that is being generated: which id comes next, what was written, where it ends, who reads it. Plain bookkeeping; the model is elsewhere. */
import { BYTE_OFFSET, EOS, VOCAB_SIZE } from '../blt/index.js';
import type { SlotOutput } from '../model/index.js';
import { uniformOf } from '../random.js';
import { createAsyncQueue } from './async-queue.js';
import { drawId, nextProbabilities, type Sampling } from './sampling.js';
import { settledLength, stopsAt } from './stop-strings.js';

export interface GenerationRequest {
  /** Ids, BOS first. */
  readonly prompt: readonly number[];
  readonly maxBytes: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** The text ends before the first of these, which is not part of it. */
  readonly stops: readonly Uint8Array[];
}

/** `eos`: the model ended the text. `stop`: a stop string came. `length`: as many bytes as were asked for, or as the model can read. */
export type FinishReason = 'eos' | 'stop' | 'length';

/** Bytes of a text that nothing takes back. */
export interface WrittenBytes {
  readonly bytes: Uint8Array;
  /** Nats; entry i is the patcher's entropy of its prediction of byte i. */
  readonly entropyNats: Float32Array;
  /** Whether byte i begins a patch. */
  readonly beginsPatch: readonly boolean[];
  /** Why the text ends here; null where it goes on. */
  readonly finish: FinishReason | null;
}

/** Ids that were read, and what the model made of them. */
export interface ReadIds extends SlotOutput {
  readonly ids: readonly number[];
}

export interface Sequence {
  /** Ids, BOS first. */
  readonly prompt: readonly number[];
  /** The sequences of the same request, itself included: one of them reads the prompt for all. */
  readonly siblings: readonly Sequence[];
  /** The id that follows what was read, once there is one. */
  readonly next: number | null;
  readonly finish: FinishReason | null;
  /** Whether nobody wants the rest: its request was aborted, or its reader broke off. */
  readonly abandoned: boolean;
  /** What is written, as soon as nothing can take it back. To be read once. */
  readonly output: AsyncIterable<WrittenBytes>;
  /**
   * Draws the ids that follow: after each id that was read, up to where a drawn one is not the one that was read next.
   * The random draws are the same whether ids were drafted or not: a text depends on its seed and the probabilities alone.
   * @param read the last of the prompt, or bytes that were drawn or drafted. @returns how many of the ids that were read stand
   */
  draw(read: ReadIds): number;
  /** Gives to the reader what is new. @returns how many bytes that were */
  deliver(): number;
  /** Ends the sequence for its reader, who is thrown `reason`, or that of the request's abort. */
  fail(reason: unknown): void;
}

/** Samples of one request, seeded with the request's seed, the next one, and so on. @param signal of the request */
export function createSequences(request: GenerationRequest, samples: number, signal?: AbortSignal): Sequence[] {
  const siblings: Sequence[] = [];
  for (let i = 0; i < samples; i++)
    siblings.push(createSequence({ ...request, seed: request.seed + i }, siblings, signal));
  return siblings;
}

function createSequence(
  { prompt, maxBytes, sampling, stops, seed }: GenerationRequest,
  siblings: readonly Sequence[],
  signal: AbortSignal | undefined,
): Sequence {
  const queue = createAsyncQueue<WrittenBytes>();
  const uniform = uniformOf(`${seed}`);
  const present = new Set(prompt);
  const bytes: number[] = [];
  const entropies: number[] = [];
  const begins: boolean[] = [];
  let delivered = 0;
  let next: number | null = null;
  let finish: FinishReason | null = maxBytes === 0 ? 'length' : null;

  function write(id: number, entropy: number, beginsPatch: boolean): void {
    if (id === EOS) {
      finish = 'eos';
      return;
    }
    present.add(id);
    bytes.push(id - BYTE_OFFSET);
    entropies.push(entropy);
    begins.push(beginsPatch);
    const left = stopsAt(bytes, stops);
    if (left !== null) {
      bytes.length = left;
      finish = 'stop';
    } else if (bytes.length === maxBytes) finish = 'length';
  }

  return {
    prompt,
    siblings,
    output: queue.items,
    get next() {
      return next;
    },
    get finish() {
      return finish;
    },
    get abandoned() {
      return signal?.aborted === true || queue.abandoned;
    },
    draw({ ids, logits, entropies: found, closed }) {
      for (const [i] of ids.entries()) {
        if (finish !== null) return i;
        const row = logits.subarray(i * VOCAB_SIZE, (i + 1) * VOCAB_SIZE);
        next = drawId(nextProbabilities(row, present, sampling), uniform());
        write(next, found[i]!, closed[i]!);
        if (next !== ids[i + 1]) return i + 1;
      }
      return ids.length;
    },
    deliver() {
      const settled = finish === null ? settledLength(bytes, stops) : bytes.length;
      if (settled <= delivered && finish === null) return 0;
      const from = delivered;
      delivered = Math.max(from, settled);
      queue.push({
        bytes: Uint8Array.from(bytes.slice(from, settled)),
        entropyNats: Float32Array.from(entropies.slice(from, settled)),
        beginsPatch: begins.slice(from, settled),
        finish,
      });
      if (finish !== null) queue.end();
      return delivered - from;
    },
    fail: (reason) => queue.fail(signal?.aborted === true ? signal.reason : reason),
  };
}
