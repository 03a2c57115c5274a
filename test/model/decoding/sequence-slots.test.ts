import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashRows, hashTables, patchStarts } from '../../../src/blt/index.js';
import {
  advance,
  copiedSlot,
  emptySlot,
  lastHashRows,
  patchLengthsOf,
  rewindSlot,
  type SequenceSlot,
  takeDraft,
} from '../../../src/model/decoding/sequence-slots.js';
import { splitLongPatches } from '../../../src/patching/split-long-patches.js';

const THRESHOLD = 1;

/** A position of a text: its id, and the entropy of the prediction there. */
interface Position {
  readonly id: number;
  readonly entropy: number;
}

const anyPosition: fc.Arbitrary<Position> = fc.record({
  id: fc.integer({ min: 4, max: 259 }),
  entropy: fc.constantFrom(0, 0.5, THRESHOLD, 1.5, 3),
});
const anyText = fc.array(anyPosition, { maxLength: 30 });

/** An action on a sequence: it reads ids, is rewound, or a copy of it continues while it reads something else. */
const anyEdit = fc.oneof(
  { weight: 4, arbitrary: fc.record({ read: anyText }) },
  fc.record({ back: fc.integer({ min: 0, max: 12 }) }),
  fc.record({ forked: anyText }),
);
const anyMaximum = fc.option(fc.integer({ min: 1, max: 6 }), { nil: null });

const patchingOf = (maxPatchLength: number | null) => ({ patching: { threshold: THRESHOLD, maxPatchLength } });

function readAll(slot: SequenceSlot, text: readonly Position[], maxPatchLength: number | null): void {
  for (const { id, entropy } of text) {
    const before = slot.ends.at(-1) ?? 0;
    const closed = advance(slot, id, entropy, patchingOf(maxPatchLength));
    if (closed !== null) expect(closed).toEqual({ patch: slot.ends.length - 1, from: before, to: slot.ids.length });
  }
}

/** The ends of the closed patches of a whole text. */
function wholeEnds(text: readonly Position[], maxPatchLength: number | null): number[] {
  if (text.length === 0) return [];
  const starts = patchStarts(
    Float32Array.from(text, ({ entropy }) => entropy),
    THRESHOLD,
  );
  return [...splitLongPatches(starts, text.length, maxPatchLength).starts].filter((start) => start > 0);
}

describe('a sequence', () => {
  it('has the patches of the whole text, however it was read, rewound and forked', () => {
    fc.assert(
      fc.property(fc.array(anyEdit, { maxLength: 12 }), anyMaximum, (edits, maximum) => {
        const slot = emptySlot();
        const text: Position[] = [];
        const expectWhole = (found: SequenceSlot, whole: readonly Position[]) => {
          expect(found.ids).toEqual(whole.map(({ id }) => id));
          expect(found.ends).toEqual(wholeEnds(whole, maximum));
        };
        for (const edit of edits) {
          if ('read' in edit) {
            readAll(slot, edit.read, maximum);
            text.push(...edit.read);
          } else if ('back' in edit) {
            text.length = Math.max(0, text.length - edit.back);
            rewindSlot(slot, text.length);
          } else {
            const copy = copiedSlot(slot);
            readAll(copy, edit.forked, maximum);
            expectWhole(copy, [...text, ...edit.forked]);
          }
          expectWhole(slot, text);
        }
        const lengths = patchLengthsOf(slot.ends, text.length);
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(text.length);
        if (text.length > 0) expect(lengths.every((length) => length > 0)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('hashes the n-grams of its last positions as the whole text does', () => {
    const hash = { sizes: [3, 5], functions: 2, vocab: 97 };
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, most) => {
        const slot = emptySlot();
        readAll(slot, text, null);
        const count = Math.min(most, text.length);
        const whole = hashRows(Int32Array.from(slot.ids), hash);
        const wanted = whole.subarray((text.length - count) * hashTables(hash));
        expect([...lastHashRows(slot, count, { hash })]).toEqual([...wanted]);
      }),
    );
  });

  it('uses a draft once, and only for ids with which the draft begins', () => {
    const drafted = () => {
      const slot = emptySlot();
      slot.draft = { ids: [10, 11, 12], entropies: [0.1, 0.2, 0.3] };
      return slot;
    };
    expect(takeDraft(drafted(), [10, 11])).toEqual([0.1, 0.2]);
    expect(takeDraft(drafted(), [10, 12])).toBeNull();
    expect(takeDraft(drafted(), [10, 11, 12, 13])).toBeNull();
    const slot = drafted();
    takeDraft(slot, [10]);
    expect(takeDraft(slot, [10])).toBeNull();
    const back = drafted();
    rewindSlot(back, 0);
    expect(takeDraft(back, [10])).toBeNull();
  });
});
