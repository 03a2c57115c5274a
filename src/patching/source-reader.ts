/** @module Everything needed to tokenise text as the source does: tokenizer, sorted vocabulary, special tokens. No TensorFlow. */
import { loadTokenizer, type SourceTokenizer } from '../tokenizer/index.js';
import type { SpecialTokens } from './chunks.js';
import { type TokensOf, tokensInPatches } from './patch-tokens.js';
import { type SortedVocabulary, sortVocabulary } from './vocabulary.js';

export interface SourceReader {
  readonly tokenizer: SourceTokenizer;
  readonly vocabulary: SortedVocabulary;
  readonly tokensOf: TokensOf;
  readonly special: SpecialTokens;
}

export interface SourceIds {
  /** Number of rows in the embedding table. */
  readonly vocabSize: number;
  readonly bosId: number | null;
  readonly eosIds: readonly number[];
}

/** The token that precedes a text that the source reads: BOS, or EOS for a source without BOS. */
export const startTokenOf = (tokenizer: Pick<SourceTokenizer, 'bosId'>, ids: Omit<SourceIds, 'vocabSize'>): number =>
  tokenizer.bosId ?? ids.bosId ?? ids.eosIds[0] ?? 0;

/**
 * @param folder contains the source's tokenizer @param ids from the source's config
 * @throws ByteifyError if the tokenizer is missing or unsupported.
 */
export async function openSourceReader(folder: string, ids: SourceIds): Promise<SourceReader> {
  const tokenizer = await loadTokenizer(folder);
  const vocabulary = sortVocabulary(tokenizer, ids.vocabSize);
  const start = startTokenOf(tokenizer, ids);
  const special = { start: vocabulary.rankOf(start), end: vocabulary.rankOf(ids.eosIds[0] ?? start) };
  return { tokenizer, vocabulary, tokensOf: tokensInPatches(tokenizer, vocabulary), special };
}
