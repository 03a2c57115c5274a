/** @module Recognises files whose content does not match their name by their first bytes, and says what they really are. */
import { ByteifyError } from '../errors.js';
import { MAX_POINTER_BYTES, refusePointer } from './lfs-pointer.js';

/** How many of a file's first bytes `refuseForeignContent` examines. */
export const BEGINNING_BYTES = MAX_POINTER_BYTES;

interface Kind {
  readonly is: (bytes: Uint8Array, text: string) => boolean;
  /** Continues a sentence that begins with the file's path. */
  readonly what: string;
  readonly hint: string;
}

const AGAIN = 'Download the file again.';

const beginsWith =
  (...magic: readonly number[]) =>
  (bytes: Uint8Array): boolean =>
    magic.every((byte, i) => bytes[i] === byte);

/** The first match applies. The magic numbers are those of file(1). */
const KINDS: readonly Kind[] = [
  {
    is: (_, text) => /^\s*<(!doctype|html|\?xml)/i.test(text),
    what: 'is a web page, not the file it is named after',
    hint: 'The download address shows a web page; on the hub, files are under /resolve/, not /blob/.',
  },
  {
    is: (_, text) => /^(Invalid username or password|Entry not found|Repository not found|Access to model)/.test(text),
    what: 'contains the response of a server that refused the download',
    hint: 'Log in with `hf auth login`, accept the licence of the model, and download the file again.',
  },
  {
    is: beginsWith(0x50, 0x4b, 0x03, 0x04),
    what: 'is a zip archive, as PyTorch’s own checkpoints are',
    hint: 'Save the model with transformers’ save_pretrained, which writes safetensors, or unpack the archive.',
  },
  { is: beginsWith(0x1f, 0x8b), what: 'is compressed with gzip', hint: 'Decompress it first.' },
  { is: beginsWith(0x28, 0xb5, 0x2f, 0xfd), what: 'is compressed with zstd', hint: 'Decompress it first.' },
  {
    is: beginsWith(0x80, 0x02),
    what: 'is a Python pickle',
    hint: 'Save the model with transformers’ save_pretrained.',
  },
];

/**
 * Rejects a file that cannot be a model's weights, config or tokenizer, and says what it is instead.
 * @param bytes the first BEGINNING_BYTES of the file, or all of it if it is shorter; @param path names the file in the error.
 * @throws ByteifyError for a git-lfs pointer, a web page, an archive, a pickle and an empty file.
 */
export function refuseForeignContent(bytes: Uint8Array, path: string): void {
  if (bytes.length === 0) throw new ByteifyError(`${path} is empty.`, { hint: AGAIN });
  refusePointer(bytes, path);
  const text = Buffer.from(bytes.subarray(0, BEGINNING_BYTES)).toString('latin1');
  const kind = KINDS.find(({ is }) => is(bytes, text));
  if (kind !== undefined) throw new ByteifyError(`${path} ${kind.what}.`, { hint: kind.hint });
}
