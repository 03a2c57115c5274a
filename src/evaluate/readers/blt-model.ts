/** @module A BLT that answers the items of a suite. Text is read in strides, and a prompt's shared beginning once for all items that have it. */
import { BYTE_OFFSET, EOS, encodeBytes, VOCAB_SIZE } from '../../blt/index.js';
import { type Decoding, openDecoding, type ResidentModel } from '../../model/index.js';
import { surprisal } from '../scorer.js';
import type { EvaluatedModel, Item, Writing } from '../suites/item.js';
import { endOf } from './text-end.js';

/** Bytes per step of a long text: enough for fast matrix products. */
const STRIDE = 512;
/** One slot keeps the shared beginning, one continues it with an item's prompt, one continues that. */
const [SHARED, PROMPT, CONTINUATION] = [0, 1, 2];
const SLOTS = 3;

/** The most likely id that a text may contain or end with. */
function mostLikely(logits: Float32Array): number {
  let best = EOS;
  for (let id = BYTE_OFFSET; id < VOCAB_SIZE; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** The engine must be started. The caller keeps `model`. @param stride bytes per step of a long text */
export function openBltModel(model: ResidentModel, stride = STRIDE): EvaluatedModel {
  const decoding: Decoding = openDecoding(model, { slots: SLOTS, mode: 'graph', chunk: stride });
  let shared: Uint8Array | null = null;
  /** The logits [260] after what each slot has read. */
  const last = new Map<number, Float32Array>();

  /** Reads ids into a slot. @returns the nats of each, given all before it; BOS has none */
  async function read(slot: number, ids: Int32Array, signal: AbortSignal): Promise<number> {
    let nats = 0;
    for (let from = 0; from < ids.length; from += stride) {
      signal.throwIfAborted();
      const part = ids.subarray(from, from + stride);
      const parts = Array.from({ length: SLOTS }, (_, i) => (i === slot ? part : []));
      const { logits } = (await decoding.read(parts))[slot]!;
      const before = last.get(slot);
      if (before !== undefined) nats += surprisal(before, 0, part[0]!);
      for (let i = 1; i < part.length; i++) nats += surprisal(logits, i - 1, part[i]!);
      last.set(slot, logits.slice(-VOCAB_SIZE));
    }
    return nats;
  }

  function fork(from: number, to: number): void {
    decoding.fork(from, to);
    last.set(to, last.get(from)!);
  }

  async function readShared(text: Uint8Array, signal: AbortSignal): Promise<void> {
    if (shared !== null && Buffer.from(shared).equals(text)) return;
    shared = null;
    decoding.reset(SHARED);
    last.delete(SHARED);
    await read(SHARED, encodeBytes(text), signal);
    shared = text;
  }

  async function write({ maxBytes, stops }: Writing, signal: AbortSignal): Promise<Uint8Array> {
    fork(PROMPT, CONTINUATION);
    const written: number[] = [];
    let end: number | null = null;
    while (written.length < maxBytes && end === null) {
      const id = mostLikely(last.get(CONTINUATION)!);
      if (id === EOS) break;
      written.push(id - BYTE_OFFSET);
      end = endOf(written, stops);
      if (end === null) await read(CONTINUATION, Int32Array.of(id), signal);
    }
    return Uint8Array.from(end === null ? written : written.slice(0, end));
  }

  return {
    async answer(item: Item, signal) {
      await readShared(item.shared, signal);
      fork(SHARED, PROMPT);
      await read(PROMPT, encodeBytes(item.prompt, { bos: false }), signal);
      const nats: number[] = [];
      let steps = 0;
      for (const [i, text] of item.continuations.entries()) {
        fork(PROMPT, CONTINUATION);
        const before = decoding.state(CONTINUATION).ends.length;
        nats.push(await read(CONTINUATION, encodeBytes(text, { bos: false }), signal));
        const { ends, length } = decoding.state(CONTINUATION);
        // The last patch ends with the text, whether or not the patcher would go on.
        if (i === item.answer) steps = ends.length - before + (ends.at(-1) === length ? 0 : 1);
      }
      return { nats, steps, written: item.writing === null ? null : await write(item.writing, signal) };
    },
    dispose: () => decoding.dispose(),
  };
}
