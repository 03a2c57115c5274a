/** @module Documents of a file: a text file is one, a jsonl file has one a line; either may be gzip or zstd compressed. */
import { isUtf8 } from 'node:buffer';
import { messageOf } from '../errors.js';
import { danglingLink } from '../system-errors.js';
import { fileChunks, withoutCompression } from './file-chunks.js';
import { BrokenFile, type Refusal, Unusable } from './refusal.js';
import { validUtf8 } from './utf8.js';

/** The next bytes of a document, cut between characters; `ends` with its last ones. Or something that was left out. */
export type Found = { readonly bytes: Uint8Array; readonly ends: boolean } | { readonly refused: Refusal };

export interface DocumentsOptions {
  readonly path: string;
  /** Where a jsonl line holds its text. */
  readonly textKey: string;
  /** Sees the file's bytes as they lie on disk. */
  readonly onStored: (chunk: Uint8Array) => void;
}

/** A jsonl line is parsed whole. */
const MAX_LINE_BYTES = 2 ** 28;
const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';
const END = { bytes: new Uint8Array(), ends: true } as const;

async function* textDocument(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Found> {
  let empty = true;
  for await (const bytes of validUtf8(chunks)) {
    if (bytes.includes(0)) throw new Unusable('it is binary (it holds a zero byte)');
    empty = false;
    yield { bytes, ends: false };
  }
  if (empty) throw new Unusable('it is empty');
  yield END;
}

/** Lines without their ends; the last one may lack its own. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end);
      yield kept.length === 0 ? line : Buffer.concat([...kept, line]);
      kept = [];
      keptBytes = 0;
      from = end + 1;
    }
    if (from < chunk.length) kept.push(chunk.subarray(from));
    keptBytes += chunk.length - from;
    if (keptBytes > MAX_LINE_BYTES) throw new Unusable('it has a line of more than 256 MiB');
  }
  if (keptBytes > 0) yield Buffer.concat(kept);
}

/** How many keys of a line are named when it lacks the wanted one: enough to see which was meant. */
const SHOWN_KEYS = 5;

/** Why a line has no text. */
function withoutText(json: unknown, key: string): string {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'the line is no JSON object';
  if (Object.hasOwn(json, key)) return `what stands under the key "${key}" is no text`;
  const keys = Object.keys(json);
  const instead = keys.length === 0 ? 'none at all' : keys.slice(0, SHOWN_KEYS).join(', ');
  return `the line has no key "${key}" (it has ${instead})`;
}

function jsonText(line: string, key: string): { text: string } | { reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return { reason: 'the line is not JSON' };
  }
  const text = (json as Record<string, unknown> | null)?.[key];
  if (typeof text !== 'string') return { reason: withoutText(json, key) };
  if (text === '') return { reason: `the text under "${key}" is empty` };
  // A lone surrogate in an escape has no UTF-8.
  return text.isWellFormed() ? { text } : { reason: `the text under "${key}" is not valid Unicode` };
}

async function* jsonlDocuments(
  chunks: AsyncIterable<Uint8Array>,
  { path, textKey }: DocumentsOptions,
): AsyncGenerator<Found> {
  let number = 0;
  let empty = true;
  for await (const bytes of linesOf(chunks)) {
    number++;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    const line = number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    if (line.trim() === '') continue;
    empty = false;
    const parsed = isUtf8(bytes) ? jsonText(line, textKey) : { reason: 'the line is not valid UTF-8' };
    if ('text' in parsed) yield { bytes: new TextEncoder().encode(parsed.text), ends: true };
    else yield { refused: { path, line: number, reason: parsed.reason } };
  }
  if (empty) throw new Unusable('it is empty');
}

/** What the file system, zlib or a check has against a file; null for an error that is none of the file's. */
function reasonOf(error: unknown): string | null {
  if (error instanceof Unusable) return error.message;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (/^(Z|ZSTD)_/.test(code)) return `it is no whole archive (${messageOf(error)})`;
  const dangling = code === 'ENOENT' ? danglingLink((error as NodeJS.ErrnoException).path ?? '') : null;
  if (dangling !== null) return `it is a link to ${dangling.target}, which does not exist`;
  return /^E[A-Z]+$/.test(code) ? `it cannot be read (${code})` : null;
}

/**
 * Documents of a file as they stream by; a line that cannot be used comes as a refusal and does not stop the others.
 * @throws BrokenFile when the file as a whole cannot be used, also when that shows only at its end (a truncated archive): what came
 * before is to be dropped by the caller, for half a file is not what was given.
 */
export async function* documentsOf(options: DocumentsOptions): AsyncGenerator<Found> {
  const { path, onStored } = options;
  const isJsonl = /\.(jsonl|ndjson)$/.test(withoutCompression(path).name);
  try {
    const chunks = fileChunks(path, onStored);
    yield* isJsonl ? jsonlDocuments(chunks, options) : textDocument(chunks);
  } catch (error) {
    const reason = reasonOf(error);
    throw reason === null ? error : new BrokenFile({ path, reason });
  }
}
