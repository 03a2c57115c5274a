/** @module One round of generation: every slot reads the next ids of its sequence, samples what follows, and delivers the final bytes. */
import { VOCAB_SIZE } from '../blt/index.js';
import type { Decoding, SlotOutput } from '../model/index.js';
import type { ReadIds, Sequence } from './sequence.js';

/** Counts since the generator was opened. */
export interface ByteCounts {
  /** Bytes of prompts read, BOS included. */
  promptBytes: number;
  writtenBytes: number;
  /** Drafted bytes, and those of them that match the model's own samples. */
  draftedBytes: number;
  acceptedBytes: number;
}

export interface Round {
  readonly decoding: Decoding;
  /** The sequence in each slot of `decoding`. */
  readonly running: readonly (Sequence | null)[];
  /** Number of bytes to draft at once; less than 2 disables drafting. */
  readonly draft: number;
  /** Updated in place. */
  readonly counts: ByteCounts;
}

/** Whether the sequence in a slot reads the prompt for its request: the first sequence of a request that still runs does. */
const readsPrompt = (running: Round['running'], { siblings }: Sequence, slot: number): boolean =>
  running.findIndex((other) => other?.siblings === siblings) === slot;

/** Copies the beginning that the prompts of a batch share, if there is one. @returns whether the rest can be read, or must wait for it */
function beginsPrompt(
  decoding: Decoding,
  running: Round['running'],
  { holder, promptLogprobs }: Sequence,
  slot: number,
): boolean {
  if (holder === null || decoding.state(slot).length > 0) return true;
  const from = running.indexOf(holder);
  if (decoding.state(from).length < holder.prompt.length) return false;
  decoding.fork(from, slot);
  promptLogprobs.take(holder.promptLogprobs);
  return true;
}

/** The ids that a slot reads next; none if another slot reads its prompt. */
async function nextIds({ decoding, running, draft }: Round, slot: number): Promise<readonly number[]> {
  const sequence = running[slot] ?? null;
  if (sequence === null) return [];
  const { prompt, next } = sequence;
  if (next !== null) return draft > 1 ? await decoding.draft(slot, next) : [next];
  if (!readsPrompt(running, sequence, slot) || !beginsPrompt(decoding, running, sequence, slot)) return [];
  const { length } = decoding.state(slot);
  // One chunk at a time, so that other slots get their next byte in between.
  return prompt.slice(length, length + decoding.counts.at(-1)!);
}

/** Samples the bytes after those that a slot read, and rewinds past rejected drafts. */
function continueText({ decoding, counts }: Round, slot: number, sequence: Sequence, read: ReadIds): void {
  const { length } = decoding.state(slot);
  const accepted = sequence.draw(read);
  // The first id was sampled, not drafted.
  counts.draftedBytes += read.ids.length - 1;
  counts.acceptedBytes += accepted - 1;
  if (accepted < read.ids.length) decoding.rewind(slot, length - read.ids.length + accepted);
}

/** Samples the first byte after a prompt for every sequence of the request. @param output of the prompt's last chunk */
function beginTexts({ decoding, running }: Round, slot: number, reader: Sequence, output: SlotOutput): void {
  const read = {
    ids: reader.prompt.slice(-1),
    logits: output.logits.slice(-VOCAB_SIZE),
    entropies: output.entropies.slice(-1),
    closed: output.closed.slice(-1),
  };
  for (const [other, sequence] of running.entries()) {
    if (sequence === null || sequence.siblings !== reader.siblings) continue;
    if (other !== slot) {
      decoding.fork(slot, other);
      sequence.promptLogprobs.take(reader.promptLogprobs);
    }
    sequence.draw(read);
  }
}

/** Runs one round and updates its counts. */
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
      sequence.promptLogprobs.read(read, output.logits);
      const isRead = decoding.state(slot).length === sequence.prompt.length;
      if (isRead && !sequence.isHolder) beginTexts(round, slot, sequence, output);
    }
  }
  for (const sequence of running) counts.writtenBytes += sequence?.deliver() ?? 0;
}
