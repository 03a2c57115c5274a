/** @module Selects the texts on which an aligned patcher can be measured. */
import { ByteifyError } from '../errors.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { canonicalTokens } from './canonical-tokens.js';

/** The texts that the source's tokens spell exactly. @throws ByteifyError if there are texts, and they spell none of them. */
export function canonicalTexts(texts: readonly Uint8Array[], tokenizer: SourceTokenizer): readonly Uint8Array[] {
  const spelled = texts.filter((text) => canonicalTokens(text, tokenizer) !== null);
  if (spelled.length === 0 && texts.length > 0) {
    throw new ByteifyError('The source’s tokens do not spell the texts that they were made from.', {
      hint: 'Its tokenizer changes text before it splits it, so patches cannot follow its tokens: use patcher.kind entropy.',
    });
  }
  return spelled;
}
