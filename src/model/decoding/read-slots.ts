/** @module Reads ids into slots: runs the local models for every byte, and the latent global transformer for every patch that closes. */
import { type BltConfig, hashTables, VOCAB_SIZE } from '../../blt/index.js';
import type { tf } from '../../engine/index.js';
import { cachePositions, type SlotStart } from './cache-positions.js';
import { type KvCache, powerOfTwo } from './kv-cache.js';
import type { ReadPart } from './read-parts.js';
import { rowOf } from './ring-buffers.js';
import { advance, type ClosedPatch, lastHashRows, type SequenceSlot, takeDraft } from './sequence-slots.js';
import type { StepTable } from './step-table.js';

/** The state on which reading works. */
export interface ReadContext {
  readonly config: BltConfig;
  readonly cache: KvCache;
  readonly steps: StepTable;
  readonly slots: SequenceSlot[];
  /** Up to this many slots with a closing patch run one by one. */
  readonly separateSlots: number;
}

/** The output for the ids that a slot read. */
export interface SlotOutput {
  /** Next-byte logits [n, 260] after each of the n ids. */
  readonly logits: Float32Array;
  /** Entropies [n] of the patcher's predictions, in nats. */
  readonly entropies: Float32Array;
  /** Whether a patch ends with each id: [n]. */
  readonly closed: readonly boolean[];
}

/** The minimum number of bytes that a step pools, padding included: a smaller minimum would need more steps, for different patch lengths. */
export const MIN_MEMBERS = 64;

/** Patches whose step is worth a shape of its own: with fewer rows, matrix products gain little. */
const PATCHES_STEP = 64;

/** The smallest number of patches, padding included, that go through the global layers when `count` bytes are read. */
export const fewestPatches = (count: number): number => Math.min(PATCHES_STEP, Math.ceil(count / 4));

/** The number of patches, at most an eighth of a power of two beyond those that closed: few shapes, and little padding. */
function paddedPatches(closed: number, count: number): number {
  const step = Math.max(fewestPatches(count), powerOfTwo(closed) / 8);
  return Math.min(count, Math.ceil(closed / step) * step);
}

/** The output of `length` ids, to be filled in. */
export const emptyOutput = (length: number) => ({
  logits: new Float32Array(length * VOCAB_SIZE),
  entropies: new Float32Array(length),
  closed: new Array<boolean>(length).fill(false),
});

/** Rows of at most `count` values, padded: [rows, count]. */
function inRows(rows: readonly (readonly number[])[], count: number): Float32Array {
  const values = new Float32Array(rows.length * count);
  rows.forEach((row, i) => {
    values.set(row, i * count);
  });
  return values;
}

async function valuesOf(outputs: Promise<tf.Tensor[]>): Promise<Float32Array[]> {
  return (await outputs).map((output) => {
    const values = output.dataSync() as Float32Array;
    output.dispose();
    return values;
  });
}

/** Runs the patcher on ids [slots * count]. @returns entropies [slots * count] in nats, and logits [slots * count, 260] */
export async function runPatcher(context: ReadContext, ids: Int32Array, starts: readonly SlotStart[], count: number) {
  const { cache, steps } = context;
  const patcher = steps.patcher({ slots: starts.length, count });
  const [entropies, logits] = await valuesOf(patcher.run({ ids, ...cachePositions(cache.patcher, starts, count) }));
  return { entropies: entropies!, logits: logits! };
}

/** Pools closed patches, at most `count` per slot, and runs the global layers on them. */
async function closePatches(
  context: ReadContext,
  group: readonly number[],
  closed: readonly (readonly ClosedPatch[])[],
  count: number,
) {
  const { cache, slots, steps } = context;
  const starts = group.map((slot, row) => ({ slot, start: closed[row]![0]?.patch ?? slots[slot]!.ends.length }));
  cache.growGlobal(Math.max(...starts.map(({ start }) => start)) + count);
  const { states, global, patches } = cache;
  const size = { slots: group.length, count };
  const positionCount = group.length * count;
  const bytes = closed.flat().reduce((sum, { from, to }) => sum + to - from, 0);
  const members = powerOfTwo(Math.max(MIN_MEMBERS, bytes));
  const bufferRows = new Int32Array(members);
  const patch = new Int32Array(members).fill(positionCount);
  const rows = new Int32Array(positionCount).fill(slots.length * patches.capacity);
  let at = 0;
  group.forEach((slot, row) => {
    closed[row]!.forEach((one, i) => {
      rows[row * count + i] = rowOf(patches, slot, one.patch);
      for (let position = one.from; position < one.to; position++, at++) {
        bufferRows[at] = rowOf(states, slot, position);
        patch[at] = row * count + i;
      }
    });
  });
  const [vectors] = await steps.pool({ ...size, members }).run({ bufferRows, patch });
  await steps.global(size).run({ vectors: vectors!, bufferRows: rows, ...cachePositions(global, starts, count) });
  vectors!.dispose();
}

/** Processes the patches that closed with `count` ids per slot: slot by slot if few slots have any, else together. */
async function closeAll(
  context: ReadContext,
  group: readonly number[],
  closed: readonly (readonly ClosedPatch[])[],
  count: number,
) {
  const rows = [...closed.keys()].filter((row) => closed[row]!.length > 0);
  if (count === 1 && group.length > 1 && rows.length <= context.separateSlots) {
    for (const row of rows) await closeAll(context, [group[row]!], [closed[row]!], count);
    return;
  }
  const most = Math.max(...closed.map(({ length }) => length));
  if (most > 0) await closePatches(context, group, closed, paddedPatches(most, count));
}

/**
 * Reads at most `count` ids into each slot of a group.
 * @returns logits [slots, count, 260], entropies [slots, count] in nats, and the patches that closed in each slot
 */
async function readStep(context: ReadContext, { group, ids, count }: ReadPart) {
  const { config, cache, slots, steps } = context;
  cache.growStates(slots, count);
  const { states, patches } = cache;
  const size = { slots: group.length, count };
  const positionCount = group.length * count;
  const starts = group.map((slot) => ({ slot, start: slots[slot]!.ids.length }));
  const padded = new Int32Array(positionCount);
  ids.forEach((some, row) => {
    padded.set(some, row * count);
  });
  const drafted = group.map((slot, row) => takeDraft(slots[slot]!, ids[row]!));
  const entropies = drafted.every((found) => found !== null)
    ? inRows(drafted, count)
    : (await runPatcher(context, padded, starts, count)).entropies;

  const tables = hashTables(config.hash);
  const hashed = new Int32Array(positionCount * tables);
  const reading = new Int32Array(positionCount);
  const rows = new Int32Array(positionCount);
  const closed = group.map((index, row) => {
    const slot = slots[index]!;
    const { start } = starts[row]!;
    slot.farthest = Math.max(slot.farthest, start + count);
    const found: ClosedPatch[] = [];
    for (let i = 0; i < count; i++) {
      const at = row * count + i;
      if (i < ids[row]!.length) {
        const patch = advance(slot, ids[row]![i]!, entropies[at]!, config);
        if (patch !== null) found.push(patch);
      }
      reading[at] = rowOf(patches, index, Math.max(0, slot.ends.length - 1));
      rows[at] = rowOf(states, index, start + i);
    }
    if (ids[row]!.length > 0) hashed.set(lastHashRows(slot, ids[row]!.length, config), row * count * tables);
    return found;
  });

  await steps
    .encoder(size)
    .run({ ids: padded, hashRows: hashed, bufferRows: rows, ...cachePositions(cache.encoder, starts, count) });
  await closeAll(context, group, closed, count);
  const [logits] = await valuesOf(
    steps.decoder(size).run({ bytes: rows, patch: reading, ...cachePositions(cache.decoder, starts, count) }),
  );
  return { logits: logits!, entropies, closed };
}

/** Reads a part in one step and writes the results into `outputs`. */
export async function readInto(
  context: ReadContext,
  outputs: readonly ReturnType<typeof emptyOutput>[],
  part: ReadPart,
): Promise<void> {
  const starts = part.group.map((slot) => context.slots[slot]!.ids.length);
  const { logits, entropies, closed } = await readStep(context, part);
  part.group.forEach((slot, row) => {
    const { length } = part.ids[row]!;
    const at = row * part.count;
    const output = outputs[slot]!;
    output.logits.set(logits.subarray(at * VOCAB_SIZE, (at + length) * VOCAB_SIZE), part.from * VOCAB_SIZE);
    output.entropies.set(entropies.subarray(at, at + length), part.from);
    for (const { to } of closed[row]!) output.closed[part.from + to - 1 - starts[row]!] = true;
  });
}
