/** @module The source's tokens of one patch, tokenised separately from its context (docs/distillation.md). No TensorFlow. */
import type { SourceTokenizer } from '../tokenizer/index.js';
import { byteKey, type SortedVocabulary } from './vocabulary.js';

/** Splits bytes into tokens, whose lengths sum to the byte count. */
export type TokensOf = (bytes: Uint8Array) => readonly SourceToken[];

export interface SourceToken {
  readonly rank: number;
  /** Number of bytes. */
  readonly length: number;
}

/** The number of patches whose tokens are cached, because most patches occur often. */
const MAX_CACHED_PATCHES = 2 ** 18;
/** Longer texts are not cached: they hardly occur twice, and whole documents would fill the memory. */
const MAX_CACHED_BYTES = 64;

function spell(bytes: Uint8Array, vocabulary: SortedVocabulary): SourceToken[] {
  const tokens: SourceToken[] = [];
  for (let at = 0; at < bytes.length; at += tokens.at(-1)!.length) {
    const rank = vocabulary.longestAt(bytes, at);
    tokens.push({ rank, length: vocabulary.bytesAt(rank).length });
  }
  return tokens;
}

/**
 * Tokenises patches with the source's tokenizer. Where that is impossible (a patch that ends inside a character, or a tokenizer that puts a
 * space before every text), takes the longest token that fits, from left to right.
 */
export function tokensInPatches(tokenizer: SourceTokenizer, vocabulary: SortedVocabulary): TokensOf {
  const kept = new Map<string, readonly SourceToken[]>();
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  function tokenised(bytes: Uint8Array): SourceToken[] | null {
    let text: string;
    try {
      text = utf8.decode(bytes);
    } catch {
      return null;
    }
    const ranks = tokenizer.encode(text).map((id) => vocabulary.rankOf(id));
    if (ranks.some((rank) => rank >= vocabulary.ordinary)) return null;
    const parts = ranks.map((rank) => vocabulary.bytesAt(rank));
    if (!Buffer.concat(parts).equals(bytes)) return null;
    return ranks.map((rank, i) => ({ rank, length: parts[i]!.length }));
  }

  return (bytes) => {
    if (bytes.length > MAX_CACHED_BYTES) return tokenised(bytes) ?? spell(bytes, vocabulary);
    const key = byteKey(bytes);
    const found = kept.get(key);
    if (found !== undefined) return found;
    if (kept.size === MAX_CACHED_PATCHES) kept.clear();
    const tokens = tokenised(bytes) ?? spell(bytes, vocabulary);
    kept.set(key, tokens);
    return tokens;
  };
}
