/** @module Documents of a file: a text file is one, a jsonl file has one a line; either may be gzip or zstd compressed. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import * as zlib from 'node:zlib';
import { ByteifyError, messageOf } from '../errors.js';

/** Something that was left out, and why. */
export interface Refusal {
  readonly path: string;
  /** Counts from 1. */
  readonly line?: number;
  readonly reason: string;
}

export type Found = { readonly text: Uint8Array } | { readonly refused: Refusal };

/** A text file larger than this is not one document that anybody wrote; jsonl has no such limit. */
const MAX_TEXT_BYTES = 2 ** 30;
/** A jsonl line. */
const MAX_LINE_BYTES = 2 ** 28;
const NEWLINE = 0x0a;

/** Why a file as a whole cannot be used. */
class Unusable extends Error {}

/** zlib has zstd from Node 22.15 and 23.8 on. */
const zstd = (zlib as { createZstdDecompress?: () => NodeJS.ReadWriteStream }).createZstdDecompress;

const DECOMPRESSORS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gz: () => zlib.createGunzip(),
  zst: () => {
    if (zstd === undefined) throw new Unusable('zstd needs Node 22.15 or newer; decompress it first');
    return zstd();
  },
};

function* extensions(path: string): Generator<string> {
  const parts = path.toLowerCase().split('.');
  while (parts.length > 1) yield parts.pop()!;
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const [last = ''] = extensions(path);
  const file = createReadStream(path, { highWaterMark: 2 ** 20 });
  const decompress = DECOMPRESSORS[last];
  if (decompress === undefined) {
    yield* file;
    return;
  }
  const stream = decompress();
  // Errors of either come out of the iteration below.
  pipeline(file, stream, () => undefined);
  yield* stream as unknown as AsyncIterable<Uint8Array>;
}

/** Lines without their ends; the last one may lack its own. */
async function* linesOf(path: string): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  for await (const chunk of chunksOf(path)) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield Buffer.concat([...kept, chunk.subarray(from, end)]);
      kept = [];
      keptBytes = 0;
      from = end + 1;
    }
    kept.push(chunk.subarray(from));
    keptBytes += chunk.length - from;
    if (keptBytes > MAX_LINE_BYTES) throw new Unusable('it has a line of more than 256 MiB');
  }
  if (keptBytes > 0) yield Buffer.concat(kept);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Why bytes are no text, or null. */
function notText(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return 'it is empty';
  if (bytes.includes(0)) return 'it is binary (it holds a zero byte)';
  return isUtf8(bytes) ? null : 'it is not valid UTF-8';
}

async function* textDocuments(path: string): AsyncGenerator<Found> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(path)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_TEXT_BYTES)
      throw new Unusable('it is larger than 1 GiB; split it, or use jsonl with one document a line');
  }
  const text = Buffer.concat(chunks);
  const reason = notText(text);
  yield reason === null ? { text } : { refused: { path, reason } };
}

function jsonText(line: Uint8Array, key: string): { text: Uint8Array } | { reason: string } {
  if (!isUtf8(line)) return { reason: 'the line is not valid UTF-8' };
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(line).toString('utf8'));
  } catch {
    return { reason: 'the line is not JSON' };
  }
  const value = (json as Record<string, unknown> | null)?.[key];
  if (typeof value !== 'string') return { reason: `the line has no text under "${key}"` };
  if (value === '') return { reason: `the text under "${key}" is empty` };
  // A lone surrogate in an escape has no UTF-8.
  if (!value.isWellFormed()) return { reason: `the text under "${key}" is not valid Unicode` };
  return { text: new TextEncoder().encode(value) };
}

async function* jsonlDocuments(path: string, key: string): AsyncGenerator<Found> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number++;
    if (Buffer.from(line).toString('latin1').trim() === '') continue;
    const parsed = jsonText(line, key);
    yield 'text' in parsed ? parsed : { refused: { path, line: number, reason: parsed.reason } };
  }
  if (number === 0) yield { refused: { path, reason: 'it is empty' } };
}

const JSONL = new Set(['jsonl', 'ndjson']);

/**
 * Documents of a file as they stream by; what cannot be used comes as a refusal, never silently. When the file breaks off (a truncated
 * archive), a refusal comes last and what came before is to be dropped by the caller: half a file is not what was given.
 */
export async function* documentsOf(path: string, textKey: string): AsyncGenerator<Found> {
  const isJsonl = [...extensions(path)].slice(0, 2).some((extension) => JSONL.has(extension));
  try {
    yield* isJsonl ? jsonlDocuments(path, textKey) : textDocuments(path);
  } catch (error) {
    if (error instanceof ByteifyError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const reason = code.startsWith('Z_')
      ? `it is not a whole archive (${code})`
      : code.startsWith('E')
        ? `it cannot be read (${code})`
        : messageOf(error);
    throw new BrokenFile({ path, reason });
  }
}

/** A file that broke off or could not be read. */
export class BrokenFile extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.reason);
  }
}
