/** @module One round of generation: every slot reads what comes next in its sequence, draws what follows, and delivers what is settled. */
import { VOCAB_SIZE } from '../blt/index.js';
import type { Decoding, SlotOutput } from '../model/index.js';
import type { ReadIds, Sequence } from './sequence.js';

/** Since the generator was opened. */
export interface ByteCounts {
  /** Bytes of prompts that were read, BOS included. */
  promptBytes: number;
  writtenBytes: number;
  /** Bytes that were drafted, and those of them that the model would have written as well. */
  draftedBytes: number;
  acceptedBytes: number;
}

export interface Round {
  readonly decoding: Decoding;
  /** By slot of `decoding`. */
  readonly running: readonly (Sequence | null)[];
  /** Bytes that are drafted at once; with less than 2 none is. */
  readonly draft: number;
  /** Added to. */
  readonly counts: ByteCounts;
}

/** Whether the sequence in a slot is the one of its request that reads the prompt: the first that is still wanted. */
const readsPrompt = (running: Round['running'], { siblings }: Sequence, slot: number): boolean =>
  running.findIndex((other) => other?.siblings === siblings) === slot;

/** What a slot reads next. One whose prompt another slot reads has nothing to read. */
async function nextIds({ decoding, running, draft }: Round, slot: number): Promise<readonly number[]> {
  const sequence = running[slot] ?? null;
  if (sequence === null) return [];
  const { prompt, next } = sequence;
  if (next !== null) return draft > 1 ? await decoding.draft(slot, next) : [next];
  if (!readsPrompt(running, sequence, slot)) return [];
  const { length } = decoding.state(slot);
  // A piece, so that other slots get their next byte in between.
  return prompt.slice(length, length + decoding.counts.at(-1)!);
}

/** Draws what follows the bytes that a slot read, and forgets those of them that were drafted in vain. */
function continueText({ decoding, counts }: Round, slot: number, sequence: Sequence, read: ReadIds): void {
  const { length } = decoding.state(slot);
  const stand = sequence.draw(read);
  // The first id was drawn.
  counts.draftedBytes += read.ids.length - 1;
  counts.acceptedBytes += stand - 1;
  if (stand < read.ids.length) decoding.rewind(slot, length - read.ids.length + stand);
}

/** Draws the first byte after a prompt that a slot has read, for every sequence of the request. @param output of the prompt's last piece */
function beginTexts({ decoding, running }: Round, slot: number, reader: Sequence, output: SlotOutput): void {
  const read = {
    ids: reader.prompt.slice(-1),
    logits: output.logits.slice(-VOCAB_SIZE),
    entropies: output.entropies.slice(-1),
    closed: output.closed.slice(-1),
  };
  for (const [other, sequence] of running.entries()) {
    if (sequence === null || sequence.siblings !== reader.siblings) continue;
    if (other !== slot) decoding.fork(slot, other);
    sequence.draw(read);
  }
}

export async function generateRound(round: Round): Promise<void> {
  const { decoding, running, counts } = round;
  const ids: (readonly number[])[] = [];
  for (const slot of running.keys()) ids.push(await nextIds(round, slot));
  if (ids.every(({ length }) => length === 0)) return;
  const outputs = await decoding.read(ids);
  for (const [slot, sequence] of running.entries()) {
    const [read, output] = [ids[slot]!, outputs[slot]!];
    if (sequence === null || read.length === 0) continue;
    if (sequence.next !== null) continueText(round, slot, sequence, { ids: read, ...output });
    else {
      counts.promptBytes += read.length;
      if (decoding.state(slot).length === sequence.prompt.length) beginTexts(round, slot, sequence, output);
    }
  }
  for (const sequence of running) counts.writtenBytes += sequence?.deliver() ?? 0;
}
