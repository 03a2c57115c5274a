import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import { type TensorInfo, tensorBytes } from '../../src/safetensors/index.js';

/** Bytes that differ between tensors and between positions in them. */
export function filled(info: TensorInfo): Uint8Array {
  return Uint8Array.from({ length: tensorBytes(info) }, (_, i) => (i * 31 + info.name.length) & 255);
}

/** A file with any header and any data. */
export async function writeRaw(
  path: string,
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(0),
): Promise<string> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  await writeFile(path, Buffer.concat([length, text, data]));
  return path;
}

/** A header's entry for bytes `begin` to `end`. */
export function entry(begin: number, end: number, extra: object = {}): object {
  return { dtype: 'U8', shape: [end - begin], data_offsets: [begin, end], ...extra };
}

/** Expects a ByteifyError of one sentence, and returns its message. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ByteifyError)) throw error;
  expect(error.message.length).toBeLessThan(500);
  expect(error.message).not.toContain('\n');
  return error.message;
}

/** The names in a folder, including hidden ones. */
export const namesIn = (folder: string) => readdirSync(folder).sort();
