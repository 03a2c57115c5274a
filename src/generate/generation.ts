/** @module One text that is being written: what is read next, which bytes follow, where it ends. Plain bookkeeping; the model is elsewhere. */
import { BYTE_OFFSET, EOS, VOCAB_SIZE } from '../blt/index.js';
import type { LaneOutput } from '../model/index.js';
import { uniformOf } from '../random.js';
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

/** What a lane has read of what it was given. */
export interface ReadIds extends LaneOutput {
  readonly ids: readonly number[];
  /** Whether a patch ends with id i. */
  readonly closed: readonly boolean[];
}

export interface Generation {
  readonly request: GenerationRequest;
  /** The id that follows what was read, once there is one. */
  readonly next: number | null;
  /**
   * Draws the ids that follow: after each id that was read, up to where a drawn one is not the one that was read next.
   * The same lots are drawn whether ids were drafted or not: a text depends on its seed and the probabilities alone.
   * @param read the last of the prompt, or bytes that were drawn or drafted. @returns how many of the ids that were read stand
   */
  draw(read: ReadIds): number;
  /** What was not taken yet; null when nothing is new. */
  take(): WrittenBytes | null;
  readonly finish: FinishReason | null;
}

export function createGeneration(request: GenerationRequest): Generation {
  const { prompt, maxBytes, sampling, stops } = request;
  const lot = uniformOf(`${request.seed}`);
  const present = new Set(prompt);
  const bytes: number[] = [];
  const entropies: number[] = [];
  const begins: boolean[] = [];
  let taken = 0;
  let next: number | null = null;
  let finish: FinishReason | null = maxBytes === 0 ? 'length' : null;
  let told = false;

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
    request,
    get next() {
      return next;
    },
    get finish() {
      return finish;
    },
    draw({ ids, logits, entropies: found, closed }) {
      for (const [i] of ids.entries()) {
        if (finish !== null) return i;
        const row = logits.subarray(i * VOCAB_SIZE, (i + 1) * VOCAB_SIZE);
        next = drawId(nextProbabilities(row, present, sampling), lot());
        write(next, found[i]!, closed[i]!);
        if (next !== ids[i + 1]) return i + 1;
      }
      return ids.length;
    },
    take() {
      const settled = finish === null ? settledLength(bytes, stops) : bytes.length;
      if (settled <= taken && (finish === null || told)) return null;
      const written = {
        bytes: Uint8Array.from(bytes.slice(taken, settled)),
        entropyNats: Float32Array.from(entropies.slice(taken, settled)),
        beginsPatch: begins.slice(taken, settled),
        finish,
      };
      taken = Math.max(taken, settled);
      told = finish !== null;
      return written;
    },
  };
}
