/** @module Packs pieces into rows of one length: the order shuffled each epoch, every byte predicted once an epoch, exactly resumable. */
import { BOE, BOS, BYTE_OFFSET, EOS } from '../blt/index.js';
import type { Split } from './store.js';

/** A document of a row, ids[start..end): BOS and bytes of one piece, and EOS where it reaches the piece's end. */
export interface RowDocument {
  readonly start: number;
  readonly end: number;
}

export interface PackedRow {
  readonly ids: Int32Array;
  /** What each position should predict; 0 where it should predict nothing. */
  readonly targets: Int32Array;
  /** 1 where the target is a byte or EOS of the same document, else 0. */
  readonly weights: Float32Array;
  /** Positions outside all documents are padding. */
  readonly documents: readonly RowDocument[];
  /** Bytes that are targets. */
  readonly byteCount: number;
  /** How many rows of its epoch came before it. */
  readonly number: number;
}

/** Where a packer stands: it goes on from here as if it had never stopped. */
export interface PackerState {
  readonly epoch: number;
  /** Place in the epoch's order. */
  readonly place: number;
  /** Bytes of that piece that are already in rows. */
  readonly offset: number;
  /** Rows of the epoch so far. */
  readonly row: number;
}

/** Before the first row. */
export const PACKER_START: PackerState = { epoch: 0, place: 0, offset: 0, row: 0 };

export interface Packer {
  next(rows: number): Promise<PackedRow[]>;
  state(): PackerState;
}

/** Fewer positions than this at a row's end are padding: a document there would be all beginning. */
const MIN_DOCUMENT = 16;

/** A permutation of 0..count-1 by a seed: Fisher and Yates with a small counter-based generator. */
function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  const below = (limit: number) => {
    // A linear congruence (Knuth's constants); its high bits choose.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Fills one row from a stream of (piece, offset) places. `advance` tells what was taken. */
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
    // BOS, then all the bytes and EOS if they fit; else as many as there is room for: the last position predicts the next byte.
    const taken = Math.min(left, rowBytes - start - 1);
    ids[at++] = BOS;
    for (let i = 0; i < taken; i++) ids[at++] = bytes[offset + i]! + BYTE_OFFSET;
    const next = taken < left ? bytes[offset + taken]! + BYTE_OFFSET : EOS;
    const ends = taken === left && at < rowBytes;
    if (ends) ids[at++] = EOS;
    const last = ends ? at - 1 : at; // EOS predicts nothing
    for (let p = start; p < last; p++) {
      targets[p] = p + 1 < at ? ids[p + 1]! : next;
      weights[p] = 1;
    }
    // The byte predicted at the end of a cut document counts as done: the next row begins after it.
    const predicted = taken < left ? taken + 1 : taken;
    byteCount += predicted;
    documents.push({ start, end: at });
    advance(predicted, offset + predicted === bytes.length);
  }
  return { ids, targets, weights, documents, byteCount };
}

export interface PackerOptions {
  readonly split: Split;
  /** Positions of a row, BOS and EOS included. */
  readonly rowBytes: number;
  readonly seed: number;
  readonly state?: PackerState;
  /** Every epoch has the same rows in the same order, so that what was computed of a row can be kept. */
  readonly repeat?: boolean;
}

/** The order of an epoch's pieces. A text that comes again and again comes in the same order. */
function orderOf({ split, seed, repeat = false }: PackerOptions, epoch: number): Uint32Array {
  return shuffled(split.count, seed + (repeat ? 0 : epoch * 7919));
}

/** Whether a packer of these pieces can stand where a state says: a state of another text seldom fits. */
export function fitsPacker(options: PackerOptions, { epoch, place, offset }: PackerState): boolean {
  const { split } = options;
  if (place >= split.count) return place === split.count && offset === 0;
  return offset <= split.byteLength(orderOf(options, epoch)[place]!);
}

/** A packer that begins where its state says. */
export function createPacker(options: PackerOptions): Packer {
  const { split, rowBytes, repeat = false } = options;
  let { epoch, place, offset, row } = options.state ?? PACKER_START;
  let order = orderOf(options, epoch);
  let piece: Uint8Array | null = null;
  const beginEpoch = () => {
    epoch++;
    [place, row] = [0, 0];
    order = orderOf(options, epoch);
  };
  const current = async () => {
    if (place === order.length) {
      // A row that is to come again holds nothing of the next epoch.
      if (repeat) return null;
      beginEpoch();
    }
    piece ??= await split.read(order[place]!);
    return { bytes: piece, offset };
  };
  const advance = (bytes: number, ended: boolean) => {
    offset += bytes;
    if (!ended) return;
    place++;
    offset = 0;
    piece = null;
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
