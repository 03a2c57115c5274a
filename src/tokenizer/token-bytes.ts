/** @module The bytes that a token stands for. */
import { ByteifyError } from '../errors.js';
import { CHARACTER_BYTES } from './byte-characters.js';

export type TokenBytes = (content: string) => Uint8Array;

const utf8 = new TextEncoder();

/** Each character is a byte's stand-in; a token with any other character is text itself, as in the Rust library. */
function byteLevelBytes(content: string): Uint8Array {
  const bytes = Array.from(content, (character) => CHARACTER_BYTES.get(character));
  return bytes.includes(undefined) ? utf8.encode(content) : Uint8Array.from(bytes as number[]);
}

const BYTE_TOKEN = /^<0x([0-9A-Fa-f]{2})>$/;

/** `<0x0A>` is a byte, `▁` a space, all else text. */
function sentencePieceBytes(content: string): Uint8Array {
  const byte = BYTE_TOKEN.exec(content)?.[1];
  return byte === undefined ? utf8.encode(content.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(byte, 16));
}

/** What a tokenizer.json's part and the parts inside it are, flat. */
export function partsOf(part: unknown): Record<string, unknown>[] {
  if (typeof part !== 'object' || part === null) return [];
  const inner = ['pretokenizers', 'normalizers', 'decoders', 'processors'].flatMap((key) => {
    const parts = (part as Record<string, unknown>)[key];
    return Array.isArray(parts) ? parts.flatMap(partsOf) : [];
  });
  return [part as Record<string, unknown>, ...inner];
}

/**
 * How this tokenizer spells bytes: as GPT-2 does where its decoder is byte-level, as SentencePiece does where it knows byte tokens or `▁`.
 * @throws ByteifyError for tokenizers that do neither, such as WordPiece: their tokens do not say which bytes they were.
 */
export function tokenBytesOf(decoder: unknown, path: string): TokenBytes {
  const types = partsOf(decoder).map(({ type }) => type);
  if (types.includes('ByteLevel')) return byteLevelBytes;
  if (types.includes('ByteFallback') || types.includes('Metaspace')) return sentencePieceBytes;
  throw new ByteifyError(`The tokenizer ${path} is neither byte-level nor SentencePiece's.`, {
    hint: 'Llama’s own tokenizers are one of them; this one’s tokens do not say which bytes they stand for.',
  });
}
