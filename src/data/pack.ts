/**
 * @module Packs document chunks into rows of one length. The order is shuffled each epoch, every byte is predicted once per epoch unless domains
 * have weights, and packing resumes exactly.
 */
import { BOE, BOS, BYTE_OFFSET, EOS } from '../blt/index.js';
import type { DomainRange } from './domains.js';
import { epochOrder } from './epoch-order.js';
import type { Split } from './store.js';

/** A document in a row, ids[start..end): BOS and what is read of one document chunk, and EOS if it reaches its end. */
export interface RowDocument {
  readonly start: number;
  readonly end: number;
}

export interface PackedRow {
  readonly ids: Int32Array;
  /** The id that each position should predict; 0 if it should predict nothing. */
  readonly targets: Int32Array;
  /** 1 if the target is of the same document, EOS included, else 0. */
  readonly weights: Float32Array;
  /** Positions outside all documents are padding. */
  readonly documents: readonly RowDocument[];
  /** How many bytes of text the targets spell. */
  readonly byteCount: number;
  /** The row's index in its epoch, from 0. */
  readonly number: number;
}

/** A packer's position: a packer that is created with it continues as if it had never stopped. */
export interface PackerState {
  readonly epoch: number;
  /** Index in the epoch's order of document chunks. */
  readonly place: number;
  /** Ids of that document chunk that are already in rows. */
  readonly offset: number;
  /** How many rows of the epoch were packed. */
  readonly row: number;
}

/** The state before the first row. */
export const PACKER_START: PackerState = { epoch: 0, place: 0, offset: 0, row: 0 };

export interface Packer {
  next(rows: number): Promise<PackedRow[]>;
  state(): PackerState;
}

/** How document chunks are read as ids. */
export interface Alphabet {
  readonly bos: number;
  readonly eos: number;
  readonly padding: number;
  /** The ids of a chunk, at most as many as it has bytes; none if it cannot be read, and then it is left out. */
  read(chunk: Uint8Array): Int32Array;
  /** How many bytes ids of a chunk spell together. */
  byteCount(ids: Int32Array): number;
}

/** A byte's id is its value plus an offset (blt-format 1.1). */
const BYTES: Alphabet = {
  bos: BOS,
  eos: EOS,
  padding: BOE,
  read: (chunk) => Int32Array.from(chunk, (byte) => byte + BYTE_OFFSET),
  byteCount: ({ length }) => length,
};

/** If fewer positions than this are left in a row, they are padding: so short a document would have almost no context. */
const MIN_DOCUMENT = 16;

/** Fills one row from document chunks. `current` gives the chunk's ids and the offset to read from; `advance` is called with the ids that were consumed. */
async function packRow(
  length: number,
  { bos, eos, padding, byteCount: bytesOf }: Alphabet,
  current: () => Promise<{ chunk: Int32Array; offset: number } | null>,
  advance: (count: number, ended: boolean) => void,
): Promise<Omit<PackedRow, 'number'>> {
  const ids = new Int32Array(length).fill(padding);
  const targets = new Int32Array(length);
  const weights = new Float32Array(length);
  const documents: RowDocument[] = [];
  let at = 0;
  let byteCount = 0;
  while (length - at >= Math.min(MIN_DOCUMENT, length)) {
    const source = await current();
    if (source === null) break;
    const { chunk, offset } = source;
    const start = at;
    const left = chunk.length - offset;
    // BOS, then all ids and EOS if they fit, else as many ids as fit; the last position then predicts the next one.
    const copied = Math.min(left, length - start - 1);
    ids[at++] = bos;
    ids.set(chunk.subarray(offset, offset + copied), at);
    at += copied;
    const next = copied < left ? chunk[offset + copied]! : eos;
    const ends = copied === left && at < length;
    if (ends) ids[at++] = eos;
    const last = ends ? at - 1 : at; // EOS predicts nothing
    for (let p = start; p < last; p++) {
      targets[p] = p + 1 < at ? ids[p + 1]! : next;
      weights[p] = 1;
    }
    // What the end of a cut document predicts counts as consumed: the next row begins after it.
    const predicted = copied < left ? copied + 1 : copied;
    byteCount += bytesOf(chunk.subarray(offset, offset + predicted));
    documents.push({ start, end: at });
    advance(predicted, offset + predicted === chunk.length);
  }
  return { ids, targets, weights, documents, byteCount };
}

export interface PackerOptions {
  readonly split: Split;
  /** The domains to read; by default all chunks. */
  readonly domains?: readonly DomainRange[];
  /** How chunks are read; by default as bytes. */
  readonly alphabet?: Alphabet;
  /** Positions per row, including BOS and EOS. */
  readonly rowBytes: number;
  readonly seed: number;
  readonly state?: PackerState;
  /** If true, every epoch has the same rows in the same order, so that results computed for a row can be cached. */
  readonly repeat?: boolean;
}

/** The order of an epoch's document chunks; with `repeat`, the same in every epoch. */
const orderOf = ({ split, domains, seed, repeat = false }: PackerOptions, epoch: number): Uint32Array =>
  epochOrder(split, domains, { seed, epoch: repeat ? 0 : epoch });

/** Whether a state is a valid position for these options; a state that belongs to another text rarely is. */
export function fitsPacker(options: PackerOptions, { epoch, place, offset }: PackerState): boolean {
  const order = orderOf(options, epoch);
  if (place >= order.length) return place === order.length && offset === 0;
  return offset <= options.split.byteLength(order[place]!);
}

/** Creates a packer that starts at `options.state`, or at the first row. `next(rows)` packs that many rows. */
export function createPacker(options: PackerOptions): Packer {
  const { split, alphabet = BYTES, rowBytes, repeat = false } = options;
  let { epoch, place, offset, row } = options.state ?? PACKER_START;
  let order = orderOf(options, epoch);
  let chunk: Int32Array | null = null;
  const beginEpoch = () => {
    epoch++;
    [place, row] = [0, 0];
    order = orderOf(options, epoch);
  };
  const current = async () => {
    for (;;) {
      if (place === order.length) {
        // A row that is repeated in each epoch must not contain bytes of the next one.
        if (repeat) return null;
        beginEpoch();
      }
      chunk ??= alphabet.read(await split.read(order[place]!));
      if (chunk.length > 0) return { chunk, offset };
      // The alphabet cannot read it.
      place++;
      chunk = null;
    }
  };
  const advance = (count: number, ended: boolean) => {
    offset += count;
    if (!ended) return;
    place++;
    offset = 0;
    chunk = null;
  };
  return {
    async next(rows) {
      const packed: PackedRow[] = [];
      while (packed.length < rows) {
        if (place === order.length) beginEpoch();
        packed.push({ ...(await packRow(rowBytes, alphabet, current, advance)), number: row++ });
      }
      return packed;
    },
    state: () => ({ epoch, place, offset, row }),
  };
}
