/** @module Decides which slots a decoding reads together, and in parts of how many ids. */
/** The ids that one step reads: at most `count` for each slot of a group. */
export interface ReadPart {
  readonly group: readonly number[];
  /** The ids of each slot of the group. */
  readonly ids: readonly (readonly number[])[];
  readonly count: number;
  /** The index of the first of these ids in all that the slots are to read. */
  readonly from: number;
}

export interface ReadLimits {
  /** Maximum ids of a slot that one step reads. */
  readonly chunk: number;
  /** The numbers of ids per slot for which steps exist, ascending. */
  readonly counts: readonly number[];
  /** More slots than this, with one id each, run in one step. */
  readonly separateSlots: number;
  /** Whether slots with a few ids each run in one step. */
  readonly together: boolean;
}

/** Up to this many ids, a step costs more for reading the weights than for multiplying them. */
const FEW_IDS = 64;

/** The slots that run in one step; none if each runs separately. */
function jointSlots(lengths: readonly number[], { separateSlots, together }: ReadLimits): number[] {
  const slots = [...lengths.keys()];
  if (together) {
    const few = slots.filter((slot) => lengths[slot]! > 0 && lengths[slot]! <= FEW_IDS);
    return few.length > 1 ? few : [];
  }
  // A step of all slots needs no gathering: those without an id are padded.
  return lengths.filter((length) => length === 1).length > separateSlots ? slots : [];
}

/** Splits the ids that each slot is to read into the parts of steps. */
export function readParts(ids: readonly ArrayLike<number>[], limits: ReadLimits): ReadPart[] {
  const { chunk, counts, together } = limits;
  const countOf = (length: number) => counts.find((enough) => enough >= length)!;
  const lengths = ids.map(({ length }) => length);
  const most = together ? FEW_IDS : 1;
  const joint = jointSlots(lengths, limits);
  const isJoint = (slot: number) => joint.includes(slot) && lengths[slot]! <= most;
  const separate = [...lengths.keys()].filter((slot) => !isJoint(slot));
  const parts = separate.flatMap((slot) => {
    const some = Array.from(ids[slot]!);
    return Array.from({ length: Math.ceil(some.length / chunk) }, (_, i) => {
      const part = some.slice(i * chunk, (i + 1) * chunk);
      return { group: [slot], ids: [part], count: countOf(part.length), from: i * chunk };
    });
  });
  if (joint.length === 0) return parts;
  const some = joint.map((slot) => (isJoint(slot) ? Array.from(ids[slot]!) : []));
  return [
    ...parts,
    { group: joint, ids: some, count: countOf(Math.max(...some.map(({ length }) => length))), from: 0 },
  ];
}
