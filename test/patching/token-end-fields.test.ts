import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { BOS, EOS } from '../../src/blt/index.js';
import { createPacker } from '../../src/data/index.js';
import { locateModel } from '../../src/import/index.js';
import { canonicalTokens, tokenEndFields } from '../../src/patching/index.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';

const tokenizer = await loadTokenizer((await locateModel('builtin:tiny-llama')).path);
const LENGTH = 128;
const ROWS = 60;
const PIECE_BYTES = 301;

/** A text in chunks that are cut anywhere except inside a character. */
async function splitOf() {
  const text = new TextDecoder().decode(await readFile(new URL('../fixtures/text/README.md.txt', import.meta.url)));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < text.length; at += PIECE_BYTES)
    chunks.push(new TextEncoder().encode(text.slice(at, at + PIECE_BYTES)));
  return {
    count: chunks.length,
    byteCount: chunks.reduce((sum, { length }) => sum + length, 0),
    byteLength: (index: number) => chunks[index]!.length,
    read: async (index: number) => chunks[index]!,
  };
}

it('token-end fields are those of each document, and unknown for BOS, EOS, padding and tokens that may be cut', async () => {
  const split = await splitOf();
  const rows = await createPacker({ split, rowBytes: LENGTH, seed: 1 }).next(ROWS);
  const { tokenEnds: ends, tokenEndWeights: weights } = tokenEndFields(rows, tokenizer);
  expect([ends.length, weights.length]).toEqual([ROWS * LENGTH, ROWS * LENGTH]);
  expect(rows.some(({ documents }) => documents.length > 1)).toBe(true);
  rows.forEach(({ ids, targets, documents }, row) => {
    const of = (values: Float32Array) => values.subarray(row * LENGTH, (row + 1) * LENGTH);
    const known = [...of(weights).entries()].filter(([, weight]) => weight === 1).map(([p]) => p);
    expect(
      known.every((p) => ids[p] !== BOS && ids[p] !== EOS && documents.some((d) => d.start < p && p < d.end)),
    ).toBe(true);
    for (const { start, end } of documents) {
      const bytes = Uint8Array.from(
        ids.subarray(start + 1, end).filter((id) => id > EOS),
        (id) => id - 4,
      );
      if (!isUtf8(bytes)) continue;
      const lengths = canonicalTokens(bytes, tokenizer)!.map(({ length }) => length);
      const last = start + 1 + bytes.length - lengths.at(-1)!;
      const cut = ids[end - 1] !== EOS && targets[end - 1] !== EOS;
      expect(of(weights)[start + bytes.length]).toBe(cut ? 0 : 1);
      expect(of(weights)[last - 1]).toBe(1);
      const count = of(ends)
        .subarray(start, end)
        .reduce((sum, value) => sum + value, 0);
      expect(count).toBe(lengths.length);
    }
  });
});
