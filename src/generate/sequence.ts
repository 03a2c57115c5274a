/** @module The state of one sequence during generation: its next id, its bytes, its end and its reader. It does not run the model. */
import { BYTE_OFFSET, EOS, VOCAB_SIZE } from '../blt/index.js';
import type { SlotOutput } from '../model/index.js';
import { uniformOf } from '../random.js';
import { createAsyncQueue } from './async-queue.js';
import { type Logprob, logprobOf } from './logprobs.js';
import { createPromptLogprobs, type PromptLogprobs, type WantedLogprobs } from './prompt-logprobs.js';
import { drawId, nextProbabilities, type Sampling } from './sampling.js';
import { settledLength, stopsAt } from './stop-strings.js';

export interface GenerationRequest {
  /** Ids, BOS first. */
  readonly prompt: readonly number[];
  readonly maxBytes: number;
  readonly sampling: Sampling;
  readonly seed: number;
  /** Stop strings: the text ends before the first of these. */
  readonly stops: readonly Uint8Array[];
  /** The log-probabilities to deliver; null, the default, for none. */
  readonly logprobs?: WantedLogprobs | null;
}

/** `eos`: the model ended the text. `stop`: the text reached a stop string. `length`: it reached the requested length or the model's maximum. */
export type FinishReason = 'eos' | 'stop' | 'length';

/** Final bytes of a text. */
export interface WrittenBytes {
  readonly bytes: Uint8Array;
  /** Entry i is the entropy, in nats, of the patcher's prediction of byte i. */
  readonly entropyNats: Float32Array;
  /** Whether byte i begins a patch. */
  readonly beginsPatch: readonly boolean[];
  /** Why the text ends here; null if it continues. */
  readonly finish: FinishReason | null;
  /** One per byte, and one more for EOS if it ends the text. Empty if none are wanted. */
  readonly logprobs: readonly Logprob[];
  /** With the first bytes of a text, if they are wanted. */
  readonly promptLogprobs: PromptLogprobs['values'] | null;
}

/** Ids that were read, and the model's output for them. */
export interface ReadIds extends SlotOutput {
  readonly ids: readonly number[];
}

export interface Sequence {
  /** Ids, BOS first. */
  readonly prompt: readonly number[];
  /** The sequences of the same request, itself included: one of them reads the prompt for all. */
  readonly siblings: readonly Sequence[];
  /** Reads the beginning that the prompts of a batch share, and keeps it for them; null if the sequence has all of its prompt read itself. */
  readonly holder: Sequence | null;
  /** Whether the sequence is such a holder, which writes nothing. */
  readonly isHolder: boolean;
  /** Those of the ids of the prompt that were read. */
  readonly promptLogprobs: PromptLogprobs;
  /** The sampled id that follows those read; null before the first. */
  readonly next: number | null;
  readonly finish: FinishReason | null;
  /** Whether the rest is not needed, because the request was aborted or the reader stopped early. */
  readonly abandoned: boolean;
  /** The final bytes as they are generated. Can be read once. */
  readonly output: AsyncIterable<WrittenBytes>;
  /**
   * Samples the next id after each id that was read, until a sample differs from the id that was read next. The random draws are the same with
   * and without drafts, so a text depends only on its seed and the probabilities.
   * @param read the last id of the prompt, or sampled and drafted ids. @returns how many of the ids that were read are accepted
   */
  draw(read: ReadIds): number;
  /** Delivers new final bytes to the reader. @returns how many */
  deliver(): number;
  /** Ends the sequence with an error for its reader: the reason of the request's abort if there is one, else `reason`. */
  fail(reason: unknown): void;
}

/**
 * Creates the samples of one request, with consecutive seeds from the request's on.
 * @param signal aborts the request @param holder has the beginning of the prompt
 */
export function createSequences(
  request: GenerationRequest,
  samples: number,
  { signal, holder = null }: { readonly signal?: AbortSignal | undefined; readonly holder?: Sequence | null } = {},
): Sequence[] {
  const siblings: Sequence[] = [];
  for (let i = 0; i < samples; i++)
    siblings.push(createSequence({ ...request, seed: request.seed + i }, { siblings, holder, signal }));
  return siblings;
}

function createSequence(
  { prompt, maxBytes, sampling, stops, seed, logprobs = null }: GenerationRequest,
  { siblings, holder, signal }: Pick<Sequence, 'siblings' | 'holder'> & { readonly signal: AbortSignal | undefined },
): Sequence {
  const queue = createAsyncQueue<WrittenBytes>();
  const uniform = uniformOf(`${seed}`);
  const present = new Set(prompt);
  const bytes: number[] = [];
  const entropies: number[] = [];
  const begins: boolean[] = [];
  const found: Logprob[] = [];
  const promptLogprobs = createPromptLogprobs(logprobs);
  let delivered = 0;
  let deliveredPrompt = logprobs?.ofPrompt !== true;
  let next: number | null = null;
  let finish: FinishReason | null = maxBytes === 0 && deliveredPrompt ? 'length' : null;

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
      found.length = Math.min(found.length, left);
      finish = 'stop';
    } else if (bytes.length === maxBytes) finish = 'length';
  }

  return {
    prompt,
    siblings,
    holder,
    output: queue.items,
    isHolder: false,
    promptLogprobs,
    get next() {
      return next;
    },
    get finish() {
      return finish;
    },
    get abandoned() {
      return signal?.aborted === true || queue.abandoned;
    },
    draw({ ids, logits, entropies: of, closed }) {
      for (const [i] of ids.entries()) {
        if (maxBytes === 0) finish = 'length';
        if (finish !== null) return i;
        const row = logits.subarray(i * VOCAB_SIZE, (i + 1) * VOCAB_SIZE);
        next = drawId(nextProbabilities(row, present, sampling), uniform());
        if (logprobs !== null) found.push(logprobOf(row, next, logprobs.top));
        write(next, of[i]!, closed[i]!);
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
        // EOS has a log-probability but no byte.
        logprobs: found.slice(from, finish === 'eos' ? settled + 1 : settled),
        promptLogprobs: deliveredPrompt ? null : promptLogprobs.values,
      });
      deliveredPrompt = true;
      if (finish !== null) queue.end();
      return delivered - from;
    },
    fail: (reason) => queue.fail(signal?.aborted === true ? signal.reason : reason),
  };
}
