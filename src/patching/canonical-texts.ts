/** @module Texts that an aligned patcher can be measured on. */

import { ByteifyError } from '../errors.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { canonicalTokens } from './canonical-tokens.js';

/** Those that the source's tokens spell. @throws ByteifyError when they spell none of several. */
export function canonicalTexts(texts: readonly Uint8Array[], tokenizer: SourceTokenizer): readonly Uint8Array[] {
  const spelled = texts.filter((text) => canonicalTokens(text, tokenizer) !== null);
  if (spelled.length === 0 && texts.length > 0) {
    throw new ByteifyError('The source’s tokens do not spell the texts that they were made of.', {
      hint: 'Its tokenizer changes text before it cuts it, so patches cannot follow it: use patcher.kind entropy.',
    });
  }
  return spelled;
}
