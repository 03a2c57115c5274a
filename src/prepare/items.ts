/** @module Numbers what is found in the inputs, so that work can be divided and resumed: each document, and each refusal, is an item. */
import { createHash } from 'node:crypto';
import { BrokenFile, completeChunks, type Position, type ReadInput, type Refusal } from '../data/index.js';
import type { PrepareInput, ReadOptions } from './input.js';

/** An item, or the end of an input. */
export type Step =
  | { readonly at: Position; readonly document: Uint8Array; readonly isCut: boolean }
  | { readonly at: Position; readonly refused: Refusal }
  | { readonly read: ReadInput };

export interface ItemsOptions extends Omit<ReadOptions, 'onStored'> {
  readonly inputs: readonly PrepareInput[];
  /** Where to begin. */
  readonly from: Position;
  /** Longer documents are cut, each piece a document of its own. */
  readonly shardBytes: number;
  /** Whether an input, or a single item of it, is to be read. */
  readonly takes: { input(index: number): boolean; item(at: Position): boolean };
}

type Found = { readonly document: Uint8Array; readonly isCut: boolean } | { readonly refused: Refusal };

/** Whole documents of one input. A damaged input ends with a refusal; the documents before the damage are kept. */
async function* wholeDocuments(
  input: PrepareInput,
  { kind, column, shardBytes, signal }: ItemsOptions,
  onStored: (chunk: Uint8Array) => void,
): AsyncGenerator<Found, boolean> {
  let rest: Uint8Array = new Uint8Array();
  let isCut = false;
  try {
    for await (const found of input.documents({ kind, column, onStored, ...(signal && { signal }) })) {
      if ('refused' in found) {
        yield { refused: { ...found.refused, path: input.name } };
        continue;
      }
      const pieces = completeChunks(
        rest.length === 0 ? found.bytes : Buffer.concat([rest, found.bytes]),
        shardBytes,
        kind,
      );
      let next = pieces.next();
      for (; !next.done; next = pieces.next()) {
        isCut = true;
        yield { document: next.value, isCut };
      }
      rest = next.value;
      if (!found.ends) continue;
      if (rest.length > 0) yield { document: rest, isCut };
      rest = new Uint8Array();
      isCut = false;
    }
    return true;
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    yield { refused: { ...error.refusal, path: input.name } };
    return false;
  }
}

/** The items of one input from a number on. */
async function* itemsOf(index: number, first: number, options: ItemsOptions): AsyncGenerator<Step> {
  const input = options.inputs[index]!;
  const hash = createHash('sha256');
  let size = 0;
  const found = wholeDocuments(input, options, (chunk) => {
    hash.update(chunk);
    size += chunk.length;
  });
  try {
    let item = 0;
    let next = await found.next();
    for (; !next.done; next = await found.next()) {
      options.signal?.throwIfAborted();
      const at = { input: index, item: item++ };
      if (at.item >= first && options.takes.item(at)) yield { at, ...next.value };
    }
    yield {
      read: {
        name: input.name,
        size_bytes: next.value ? size : input.size_bytes,
        sha256: next.value ? hash.digest('hex') : null,
      },
    };
  } finally {
    await found.return(false);
  }
}

/** Streams the items of all inputs from a position on. @throws the signal's reason */
export async function* items(options: ItemsOptions): AsyncGenerator<Step> {
  const { inputs, from, takes } = options;
  for (let index = from.input; index < inputs.length; index++)
    if (takes.input(index)) yield* itemsOf(index, index === from.input ? from.item : 0, options);
}
