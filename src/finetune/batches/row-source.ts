/** @module Describes where the rows of a run come from, in plain values, so that another thread can open them. No TensorFlow. */
import {
  createPacker,
  type DomainRange,
  openSplit,
  type PackedRow,
  type Packer,
  type PackerState,
  type SplitFiles,
} from '../../data/index.js';

import { type TokenIds, tokenAlphabet } from './token-alphabet.js';

export type RowSource =
  | {
      /** Text on disk, packed into rows of `rowBytes` positions. */
      readonly kind: 'packed';
      readonly files: SplitFiles;
      /** How chunks are read as tokens; by default they are read as bytes. */
      readonly tokens?: TokenIds;
      /** The domains to read; by default all chunks. */
      readonly domains?: readonly DomainRange[];
      readonly rowBytes: number;
      readonly seed: number;
      /** The position at which the packer continues. */
      readonly state: PackerState;
      /** Whether every epoch consists of the same rows. */
      readonly repeat: boolean;
    }
  | {
      /** These rows in a loop: for benchmarks and tests. */
      readonly kind: 'given';
      readonly rows: readonly PackedRow[];
    };

export interface OpenRows extends Packer {
  close(): Promise<void>;
}

/** @throws ByteifyError when a file of the text is missing, damaged or truncated. */
export async function openRows(source: RowSource): Promise<OpenRows> {
  return source.kind === 'packed' ? await openPacked(source) : givenRows(source.rows);
}

async function openPacked({ files, tokens, ...settings }: Extract<RowSource, { kind: 'packed' }>): Promise<OpenRows> {
  const split = await openSplit(files);
  const alphabet = tokens === undefined ? {} : { alphabet: await tokenAlphabet(tokens) };
  return { ...createPacker({ split, ...alphabet, ...settings }), close: () => split.close() };
}

function givenRows(rows: readonly PackedRow[]): OpenRows {
  let place = 0;
  return {
    next: async (count) => Array.from({ length: count }, () => rows[place++ % rows.length]!),
    state: () => ({ epoch: 0, place, offset: 0, row: 0 }),
    close: async () => {},
  };
}
