/** @module Maps tokens to their bytes. */
import { ByteifyError } from '../errors.js';
import { CHARACTER_BYTES } from './byte-characters.js';

export type TokenBytes = (content: string) => Uint8Array;

const utf8 = new TextEncoder();

/** Each character represents a byte; a token with any other character is literal text, as in the Rust library. */
function byteLevelBytes(content: string): Uint8Array {
  const bytes = Array.from(content, (character) => CHARACTER_BYTES.get(character));
  return bytes.includes(undefined) ? utf8.encode(content) : Uint8Array.from(bytes as number[]);
}

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

/** `<0x0A>` is a byte, `▁` a space, and everything else is text. */
function sentencePieceBytes(content: string): Uint8Array {
  const byte = BYTE_TOKEN.exec(content)?.[1];
  return byte === undefined ? utf8.encode(content.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(byte, 16));
}

/** A part of a tokenizer.json and the parts inside it, flattened. */
export function partsOf(part: unknown): Record<string, unknown>[] {
  if (typeof part !== 'object' || part === null) return [];
  const inner = ['pretokenizers', 'normalizers', 'decoders', 'processors'].flatMap((key) => {
    const parts = (part as Record<string, unknown>)[key];
    return Array.isArray(parts) ? parts.flatMap(partsOf) : [];
  });
  return [part as Record<string, unknown>, ...inner];
}

/**
 * How a tokenizer represents bytes: as GPT-2 does if its decoder is byte-level, as SentencePiece does if it has byte tokens or `▁`.
 * @throws ByteifyError for other tokenizers, such as WordPiece, whose tokens do not determine their bytes.
 */
export function tokenBytesOf(decoder: unknown, path: string): TokenBytes {
  const types = partsOf(decoder).map(({ type }) => type);
  if (types.includes('ByteLevel')) return byteLevelBytes;
  if (types.includes('ByteFallback') || types.includes('Metaspace')) return sentencePieceBytes;
  throw new ByteifyError(`The tokenizer ${path} is neither byte-level nor SentencePiece's.`, {
    hint: 'Llama’s own tokenizers are of these two kinds. The tokens of this one do not determine their bytes.',
  });
}
