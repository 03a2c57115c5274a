/** @module Why a tokenizer.json cannot be used, in one sentence that names the file. */
import { ByteifyError } from '../../errors.js';
import { BROKEN } from '../read-files.js';

const OTHER_IDS =
  'Its token ids would differ from those that the source was trained on, so nothing could be compared with it.';

/** Refuses a tokenizer. @param why completes “The tokenizer PATH cannot be used:”. @param hint by default, to download it again. */
export type Refuse = (why: string, hint?: string) => never;

/** @param path of the tokenizer.json, as the user would look for it. */
export const refuseTokenizer =
  (path: string): Refuse =>
  (why, hint = BROKEN) => {
    throw new ByteifyError(`The tokenizer ${path} cannot be used: ${why}.`, { hint });
  };

/** Refuses what is sound but would be read in another way than by the Rust library `tokenizers`. */
export const refuseUnsupported = (refuse: Refuse, why: string): never => refuse(why, OTHER_IDS);

/** Ids are places in arrays. The largest vocabularies have a few hundred thousand tokens. */
export const MAXIMUM_TOKENS = 2 ** 24;
