/** @module A BLT that answers the items of a suite. Text is read in strides, and a prompt's shared beginning once for all items that have it. */
import { BYTE_OFFSET, EOS, encodeBytes, VOCAB_SIZE } from '../../blt/index.js';
import { type Decoding, openDecoding, type ResidentModel } from '../../model/index.js';
import { STRIDE, surprisal } from '../scorer.js';
import type { EvaluatedModel, Item, Writing } from '../suites/item.js';
import { endOf } from './text-end.js';

/** One slot keeps the shared beginning, one continues it with an item's prompt, and others continue that, several at once. */
const [SHARED, PROMPT] = [0, 1];
const CONTINUATIONS = [2, 3, 4, 5];
const SLOTS = 6;

/** The most likely id that a text may contain or end with. */
function mostLikely(logits: Float32Array): number {
  let best = EOS;
  for (let id = BYTE_OFFSET; id < VOCAB_SIZE; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** The engine must be started. The caller keeps `model`. @param stride bytes per step of a long text */
export function openBltModel(model: ResidentModel, stride = STRIDE): EvaluatedModel {
  const decoding: Decoding = openDecoding(model, { slots: SLOTS, mode: 'graph', chunk: stride, together: true });
  let shared: Uint8Array | null = null;
  /** The logits [260] after what each slot has read. */
  const last = new Map<number, Float32Array>();

  /** Reads ids into slots. @returns the nats of each slot's ids, given all before them; BOS has none */
  async function read(ids: ReadonlyMap<number, Int32Array>, signal: AbortSignal): Promise<Map<number, number>> {
    const nats = new Map([...ids.keys()].map((slot) => [slot, 0]));
    const longest = Math.max(...[...ids.values()].map(({ length }) => length));
    for (let from = 0; from < longest; from += stride) {
      signal.throwIfAborted();
      const parts = Array.from({ length: SLOTS }, (_, slot) => ids.get(slot)?.subarray(from, from + stride) ?? []);
      const outputs = await decoding.read(parts);
      for (const [slot, part] of parts.entries()) {
        if (part.length === 0) continue;
        const { logits } = outputs[slot]!;
        const before = last.get(slot);
        let sum = nats.get(slot)! + (before === undefined ? 0 : surprisal(before, 0, part[0]!));
        for (let i = 1; i < part.length; i++) sum += surprisal(logits, i - 1, part[i]!);
        nats.set(slot, sum);
        last.set(slot, logits.slice(-VOCAB_SIZE));
      }
    }
    return nats;
  }

  function fork(from: number, ...to: readonly number[]): void {
    decoding.fork(from, ...to);
    for (const slot of to) last.set(slot, last.get(from)!);
  }

  /** Reads continuations, but not their last bytes, after which nothing is predicted. @returns their nats, and the patches that they begin or continue */
  async function readContinuations(texts: readonly Uint8Array[], signal: AbortSignal) {
    const slots = CONTINUATIONS.slice(0, texts.length);
    const ids = texts.map((text) => encodeBytes(text, { bos: false }));
    fork(PROMPT, ...slots);
    const before = decoding.state(PROMPT).ends.length;
    const nats = await read(new Map(slots.map((slot, i) => [slot, ids[i]!.subarray(0, -1)])), signal);
    return slots.map((slot, i) => {
      const end = ids[i]!.at(-1);
      if (end === undefined) return { nats: 0, steps: 0 };
      const closed = decoding.state(slot).ends.length - before;
      return { nats: nats.get(slot)! + surprisal(last.get(slot)!, 0, end), steps: closed + 1 };
    });
  }

  async function readShared(text: Uint8Array, signal: AbortSignal): Promise<void> {
    if (shared !== null && Buffer.from(shared).equals(text)) return;
    shared = null;
    decoding.reset(SHARED);
    last.delete(SHARED);
    await read(new Map([[SHARED, encodeBytes(text)]]), signal);
    shared = text;
  }

  async function write({ maxBytes, stops }: Writing, signal: AbortSignal): Promise<Uint8Array> {
    const slot = CONTINUATIONS[0]!;
    fork(PROMPT, slot);
    const written: number[] = [];
    let end: number | null = null;
    while (written.length < maxBytes && end === null) {
      const id = mostLikely(last.get(slot)!);
      if (id === EOS) break;
      written.push(id - BYTE_OFFSET);
      end = endOf(written, stops);
      if (end === null) await read(new Map([[slot, Int32Array.of(id)]]), signal);
    }
    return Uint8Array.from(end === null ? written : written.slice(0, end));
  }

  return {
    async answer(item: Item, signal) {
      await readShared(item.shared, signal);
      fork(SHARED, PROMPT);
      await read(new Map([[PROMPT, encodeBytes(item.prompt, { bos: false })]]), signal);
      const found: { nats: number; steps: number }[] = [];
      for (let from = 0; from < item.continuations.length; from += CONTINUATIONS.length)
        found.push(...(await readContinuations(item.continuations.slice(from, from + CONTINUATIONS.length), signal)));
      const { steps } = found[item.answer]!;
      const nats = found.map((one) => one.nats);
      return { nats, steps, written: item.writing === null ? null : await write(item.writing, signal) };
    },
    dispose: () => decoding.dispose(),
  };
}
