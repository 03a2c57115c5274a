/**
 * @module Packs document chunks into rows of one length. The order is shuffled each epoch, every byte is predicted once per epoch unless domains
 * have weights, and packing resumes exactly.
 */
import { BOE, BOS, BYTE_OFFSET, EOS } from '../blt/index.js';
import type { DomainRange } from './domains.js';
import { epochOrder } from './epoch-order.js';
import type { Split } from './store.js';

/** A document in a row, ids[start..end): BOS and bytes of one document chunk, and EOS if they reach its end. */
export interface RowDocument {
  readonly start: number;
  readonly end: number;
}

export interface PackedRow {
  readonly ids: Int32Array;
  /** The id that each position should predict; 0 if it should predict nothing. */
  readonly targets: Int32Array;
  /** 1 if the target is a byte or EOS of the same document, else 0. */
  readonly weights: Float32Array;
  /** Positions outside all documents are padding. */
  readonly documents: readonly RowDocument[];
  /** How many targets are bytes. */
  readonly byteCount: number;
  /** The row's index in its epoch, from 0. */
  readonly number: number;
}

/** A packer's position: a packer that is created with it continues as if it had never stopped. */
export interface PackerState {
  readonly epoch: number;
  /** Index in the epoch's order of document chunks. */
  readonly place: number;
  /** Bytes of that document chunk that are already in rows. */
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

/** If fewer positions than this are left in a row, they are padding: so short a document would have almost no context. */
const MIN_DOCUMENT = 16;

/** Fills one row from document chunks. `current` gives the chunk and offset to read from; `advance` is called with the bytes that were consumed. */
async function packRow(
  rowBytes: number,
  current: () => Promise<{ bytes: Uint8Array; offset: number } | null>,
  advance: (bytes: number, ended: boolean) => void,
): Promise<Omit<PackedRow, 'number'>> {
  const ids = new Int32Array(rowBytes).fill(BOE);
  const targets = new Int32Array(rowBytes);
  const weights = new Float32Array(rowBytes);
  const documents: RowDocument[] = [];
  let at = 0;
  let byteCount = 0;
  while (rowBytes - at >= Math.min(MIN_DOCUMENT, rowBytes)) {
    const source = await current();
    if (source === null) break;
    const { bytes, offset } = source;
    const start = at;
    const left = bytes.length - offset;
    // BOS, then all bytes and EOS if they fit, else as many bytes as fit; the last position then predicts the next byte.
    const copied = Math.min(left, rowBytes - start - 1);
    ids[at++] = BOS;
    for (let i = 0; i < copied; i++) ids[at++] = bytes[offset + i]! + BYTE_OFFSET;
    const next = copied < left ? bytes[offset + copied]! + BYTE_OFFSET : EOS;
    const ends = copied === left && at < rowBytes;
    if (ends) ids[at++] = EOS;
    const last = ends ? at - 1 : at; // EOS predicts nothing
    for (let p = start; p < last; p++) {
      targets[p] = p + 1 < at ? ids[p + 1]! : next;
      weights[p] = 1;
    }
    // The byte that the end of a cut document predicts counts as consumed: the next row begins after it.
    const predicted = copied < left ? copied + 1 : copied;
    byteCount += predicted;
    documents.push({ start, end: at });
    advance(predicted, offset + predicted === bytes.length);
  }
  return { ids, targets, weights, documents, byteCount };
}

export interface PackerOptions {
  readonly split: Split;
  /** The domains to read; by default all chunks. */
  readonly domains?: readonly DomainRange[];
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
  const { split, rowBytes, repeat = false } = options;
  let { epoch, place, offset, row } = options.state ?? PACKER_START;
  let order = orderOf(options, epoch);
  let chunk: Uint8Array | null = null;
  const beginEpoch = () => {
    epoch++;
    [place, row] = [0, 0];
    order = orderOf(options, epoch);
  };
  const current = async () => {
    if (place === order.length) {
      // A row that is repeated in each epoch must not contain bytes of the next one.
      if (repeat) return null;
      beginEpoch();
    }
    chunk ??= await split.read(order[place]!);
    return { bytes: chunk, offset };
  };
  const advance = (bytes: number, ended: boolean) => {
    offset += bytes;
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
        packed.push({ ...(await packRow(rowBytes, current, advance)), number: row++ });
      }
      return packed;
    },
    state: () => ({ epoch, place, offset, row }),
  };
}
