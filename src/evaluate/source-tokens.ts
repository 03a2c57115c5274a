/** @module A text as the source reads it when it is measured. */
import type { SourceTokenizer } from '../tokenizer/index.js';

/**
 * The source's tokens of a text; null if they do not spell it: `<unk>` is easier to predict than the bytes that it replaces.
 * @param text valid UTF-8
 */
export function tokensThatSpell(tokenizer: SourceTokenizer, text: Uint8Array): readonly number[] | null {
  const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  const ids = tokenizer.encode(decoded);
  return tokenizer.spells(decoded, ids) ? ids : null;
}
