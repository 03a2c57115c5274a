import { describe, expect, it } from 'vitest';
import { hashRows } from '../../../../src/blt/index.js';
import { fitResidualBackoff, type ObservedText } from '../../../../src/finetune/index.js';

const HASH = { sizes: [2, 3], functions: 1, vocab: 1009 };
/** Two channels: A is (1, 0), B is (0, 2). */
const VECTORS = Float32Array.from([1, 0, 0, 2]);
const [A, B, NONE] = [0, 1, -1];
/** The share of the mean that a row observed n times gets. */
const trust = (n: number) => n / (n + 0.5);

const idsOf = (text: string) => Int32Array.from(Buffer.from(text), (byte) => byte + 4);

/** A text with a vector observed at its last byte, and no numbers. */
function seen(text: string, vector: number, more: Partial<ObservedText> = {}): ObservedText {
  const ids = idsOf(text);
  const at = new Int32Array(ids.length).fill(NONE);
  at[ids.length - 1] = vector;
  const scalar = new Float32Array(ids.length).fill(Number.NaN);
  return { ids, vector: at, vectors: VECTORS, scalar, weight: 1, isWhole: true, ...more };
}

/** The tables, of three channels: the scalar is the last one. */
async function fitted(texts: readonly ObservedText[], hash = HASH) {
  const { bytes, ngrams } = await fitResidualBackoff({
    ...{ texts: () => texts, width: 2, hash },
    ...{ rowWidth: 3, scalarChannel: 2 },
  });
  const size = hash.vocab * 3;
  const tables = Array.from({ length: ngrams.length / size }, (_, i) => ngrams.subarray(i * size, (i + 1) * size));
  return { bytes, tables };
}

/** The sum of the rows at the last byte of a text, the scalar last. @param longest leaves out longer n-grams. */
function sumAt(
  { bytes, tables }: Awaited<ReturnType<typeof fitted>>,
  text: string,
  { hash = HASH, longest = 99 } = {},
): number[] {
  const ids = idsOf(text);
  const rows = hashRows(ids, hash).subarray((ids.length - 1) * tables.length);
  return [0, 1, 2].map((channel) =>
    tables.reduce(
      (sum, table, t) => (hash.sizes[t]! > longest ? sum : sum + table[(rows[t]! - t * hash.vocab) * 3 + channel]!),
      bytes[ids.at(-1)! * 3 + channel]!,
    ),
  );
}

/** The part of a value that levels with these shares explain together. */
const explained = (value: number, ...shares: number[]) =>
  value * (1 - shares.reduce((left, share) => left * (1 - share), 1));

function expectClose(found: readonly number[], wanted: readonly number[]) {
  expect(found.length).toBe(wanted.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 5);
  });
}

describe('fitResidualBackoff', () => {
  it('gives tables whose sum is the observed vector, shrunk at each level by n / (n + 1/2)', async () => {
    expectClose(sumAt(await fitted([seen('xyz', A)]), 'xyz'), [explained(1, trust(1), trust(1), trust(1)), 0, 0]);
    const often = await fitted(Array.from({ length: 40 }, () => seen('xyz', B)));
    expectClose(sumAt(often, 'xyz'), [0, explained(2, trust(40), trust(40), trust(40)), 0]);
  });

  it('distinguishes texts by their longest n-gram', async () => {
    const texts = [
      ...Array.from({ length: 50 }, () => seen('ayz', A)),
      ...Array.from({ length: 50 }, () => seen('byz', B)),
    ];
    const found = await fitted(texts);
    // After yz, A and B are equally likely. The third byte decides; its share is 50 / 50.5.
    const mean = [0.5, 1].map((value) => explained(value, trust(100), trust(100)));
    const third = (wanted: number, channel: number) => mean[channel]! + trust(50) * (wanted - mean[channel]!);
    expectClose(sumAt(found, 'ayz'), [third(1, 0), third(0, 1), 0]);
    expectClose(sumAt(found, 'byz'), [third(0, 0), third(2, 1), 0]);
  });

  it('backs off to the longest n-gram that was observed', async () => {
    const found = await fitted([...Array.from({ length: 9 }, () => seen('ayz', A)), seen('byz', A)]);
    expectClose(sumAt(found, 'cyz'), sumAt(found, 'ayz', { longest: 2 }));
    expectClose(sumAt(found, 'cyz'), [explained(1, trust(10), trust(10)), 0, 0]);
    expectClose(sumAt(found, 'qqq'), [0, 0, 0]);
  });

  it('gives colliding n-grams the mean of their observations', async () => {
    const hash = { ...HASH, sizes: [3], vocab: 1 };
    const found = await fitted([seen('abz', A), seen('cdz', B)], hash);
    const byte = [0.5, 1].map((value) => explained(value, trust(2)));
    const shared = byte.map((value, i) => value + trust(2) * ([0.5, 1][i]! - value));
    expectClose(sumAt(found, 'abz', { hash }), [...shared, 0]);
    expectClose(sumAt(found, 'cdz', { hash }), [...shared, 0]);
  });

  it('uses only n-grams inside a vocabulary entry', async () => {
    const entry = await fitted([seen('yz', A, { isWhole: false })]);
    expectClose(sumAt(entry, 'qyz'), [explained(1, trust(1), trust(1)), 0, 0]);
    expect(entry.tables[1]!.every((value) => value === 0)).toBe(true);
    // At the beginning of a document it is known that nothing comes before, so all n-grams are used.
    expect((await fitted([seen('yz', A)])).tables[1]!.some((value) => value !== 0)).toBe(true);
  });

  it('weights observations', async () => {
    const found = await fitted([seen('z', A, { weight: 3 }), seen('z', B, { weight: 1 })], { ...HASH, sizes: [2] });
    const [a, b] = [...found.bytes.subarray(idsOf('z')[0]! * 3)];
    expectClose([a!, b!], [3 / 4.5, 2 / 4.5]);
  });

  it('fits numbers in a channel of their own, at the positions that have one', async () => {
    const text = { ...seen('xyz', A), scalar: Float32Array.from([0, 5, Number.NaN]) };
    const found = await fitted([text]);
    expectClose(sumAt(found, 'xy'), [0, 0, explained(5, trust(1), trust(1), trust(1))]);
    expectClose(sumAt(found, 'xyz'), [explained(1, trust(1), trust(1), trust(1)), 0, 0]);
  });

  it('leaves channels at zero in which nothing is fitted', async () => {
    const texts = [{ ...seen('xyz', A), scalar: Float32Array.from([0, 5, 1]) }];
    const narrow = await fitted(texts);
    const wide = await fitResidualBackoff({
      ...{ texts: () => texts, width: 2, hash: HASH },
      ...{ rowWidth: 5, scalarChannel: 4 },
    });
    const row = idsOf('z')[0]!;
    const [first, second, scalar] = narrow.bytes.subarray(row * 3, (row + 1) * 3);
    expect([...wide.bytes.subarray(row * 5, (row + 1) * 5)]).toEqual([first, second, 0, 0, scalar]);
  });

  it('fits all hash functions of one n-gram size before longer n-grams', async () => {
    const hash = { ...HASH, functions: 2 };
    const found = await fitted([seen('xyz', A), seen('xyz', A)], hash);
    const shares = Array.from({ length: 5 }, () => trust(2));
    expectClose(sumAt(found, 'xyz', { hash }), [explained(1, ...shares), 0, 0]);
    // An entry of two bytes has no 3-grams. The tables have sizes 2, 3, 2, 3.
    const entry = await fitted([seen('yz', A, { isWhole: false })], hash);
    const used = entry.tables.map((table) => table.some((value) => value !== 0));
    expect(used).toEqual([true, false, true, false]);
    expectClose(sumAt(entry, 'yz', { hash }), [explained(1, trust(1), trust(1), trust(1)), 0, 0]);
  });

  it('returns tables in the order of the fused hash table, whatever the order of sizes', async () => {
    const texts = [seen('xyz', A), seen('wyz', B), seen('yz', B)];
    const [one, other] = [await fitted(texts), await fitted(texts, { ...HASH, sizes: [3, 2] })];
    expect(other.bytes).toEqual(one.bytes);
    expect(other.tables[0]).toEqual(one.tables[1]);
    expect(other.tables[1]).toEqual(one.tables[0]);
  });
});
