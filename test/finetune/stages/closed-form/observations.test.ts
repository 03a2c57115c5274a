import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ObservedText } from '../../../../src/finetune/index.js';
import { openObservations } from '../../../../src/finetune/stages/closed-form/observations.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-observations-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (ids: number[], vectors: Float32Array, more: Partial<ObservedText> = {}): ObservedText => ({
  ids: Int32Array.from(ids),
  vector: Int32Array.from(ids, (_, i) => i - 1),
  vectors,
  scalar: Float32Array.from(ids, (_, i) => (i === 0 ? Number.NaN : i / 2)),
  weight: 1,
  isWhole: true,
  ...more,
});

async function all(texts: AsyncIterable<ObservedText>): Promise<ObservedText[]> {
  const found: ObservedText[] = [];
  for await (const one of texts) found.push(one);
  return found;
}

describe('openObservations', () => {
  it('returns texts unchanged, any number of times', async () => {
    const shared = Float32Array.from([1, 2, 3]);
    const texts = [
      text([4, 5, 6], shared),
      text([], shared),
      text([259], Float32Array.from([0.5, -1]), { weight: 0.25, isWhole: false }),
      text([7, 8], shared),
    ];
    const path = join(folder, 'all.bin');
    const observations = openObservations(path, shared);
    for (const one of texts) await observations.add(one);
    const first = await all(observations.texts());
    expect(first).toEqual(texts);
    expect(first[0]!.vectors).toBe(shared);
    expect(await all(observations.texts())).toEqual(texts);
    // Twelve bytes per position, plus vectors that are not shared.
    expect(statSync(path).size).toBe(12 * 6 + 4 * 2);
    await observations.close();
    expect(existsSync(path)).toBe(false);
  });

  it('stores only the referenced part of a larger array of vectors', async () => {
    const large = Float32Array.from([1, 2, 3, 4, 5, 6]);
    const observations = openObservations(join(folder, 'parts.bin'));
    await observations.add(text([4], large.subarray(2, 4)));
    const [found] = await all(observations.texts());
    expect([...found!.vectors]).toEqual([3, 4]);
    await observations.close();
  });

  it('returns no texts and leaves no file if nothing was added', async () => {
    const path = join(folder, 'none.bin');
    const observations = openObservations(path);
    expect(await all(observations.texts())).toEqual([]);
    await observations.close();
    expect(existsSync(path)).toBe(false);
  });
});
