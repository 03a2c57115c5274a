/** @module Errors for a tokenizer.json that cannot be used, in one sentence that names the file. */
import { ByteifyError } from '../../errors.js';
import { BROKEN } from '../read-files.js';

const OTHER_IDS =
  'Its token ids would differ from those on which the source was trained, so the two could not be compared.';

/** Refuses a tokenizer. @param why completes “The tokenizer PATH cannot be used:”. @param hint by default, advice to download the files again. */
export type Refuse = (why: string, hint?: string) => never;

/** @param path of the tokenizer.json, as the user knows it. */
export const refuseTokenizer =
  (path: string): Refuse =>
  (why, hint = BROKEN) => {
    throw new ByteifyError(`The tokenizer ${path} cannot be used: ${why}.`, { hint });
  };

/** Refuses a valid tokenizer that would be read differently from the Rust library `tokenizers`. */
export const refuseUnsupported = (refuse: Refuse, why: string): never => refuse(why, OTHER_IDS);

/** A bound on ids, which index arrays. The largest vocabularies have a few hundred thousand tokens. */
export const MAXIMUM_TOKENS = 2 ** 24;
