/** @module Assigns sequences to slots, and queues the requests that wait for slots. */
import type { Sequence } from './sequence.js';

export interface SlotQueue {
  /** The sequence in each slot; null for a free slot. */
  readonly running: readonly (Sequence | null)[];
  /** Queues the sequences of a request, which get their slots at the same time. */
  add(sequences: readonly Sequence[]): void;
  /** Removes abandoned sequences, and gives free slots to the next requests in order. */
  update(): void;
  /** Frees the slots of sequences that are finished. */
  removeFinished(): void;
  /** Ends every sequence, running or waiting, with an error for its reader. */
  failAll(reason: unknown): void;
  isBusy(): boolean;
  /** The numbers of running and waiting sequences. */
  state(): { readonly running: number; readonly waiting: number };
}

/** @param onOccupy called with each slot that a sequence gets */
export function createSlotQueue(slotCount: number, onOccupy: (slot: number) => void): SlotQueue {
  const running: (Sequence | null)[] = new Array(slotCount).fill(null);
  /** The sequences of each request. */
  let waiting: (readonly Sequence[])[] = [];

  function free(isOver: (sequence: Sequence) => boolean): void {
    for (const [slot, sequence] of running.entries()) if (sequence !== null && isOver(sequence)) running[slot] = null;
  }

  function isDropped(sequence: Sequence): boolean {
    if (sequence.abandoned) sequence.fail(null);
    return sequence.abandoned;
  }

  function admit(): void {
    for (let sequences = waiting[0]; sequences !== undefined; sequences = waiting[0]) {
      const slots = [...running.keys()].filter((slot) => running[slot] === null);
      if (slots.length < sequences.length) return;
      waiting.shift();
      sequences.forEach((sequence, i) => {
        running[slots[i]!] = sequence;
        onOccupy(slots[i]!);
      });
    }
  }

  return {
    running,
    add(sequences) {
      waiting.push(sequences);
    },
    update() {
      free(isDropped);
      waiting = waiting.filter((sequences) => sequences.filter(isDropped).length < sequences.length);
      admit();
    },
    removeFinished: () => free(({ finish }) => finish !== null),
    failAll(reason) {
      for (const sequence of [...running, ...waiting.flat()]) sequence?.fail(reason);
      running.fill(null);
      waiting = [];
    },
    isBusy: () => waiting.length > 0 || running.some((sequence) => sequence !== null),
    state: () => ({
      running: running.filter((sequence) => sequence !== null).length,
      waiting: waiting.flat().length,
    }),
  };
}
