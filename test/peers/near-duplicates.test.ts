import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { askPeer, peersPython } from '../support/peers.js';

const SCRIPTS = fileURLToPath(new URL('../../spark', import.meta.url));

interface Found {
  readonly mean_deviation: number;
  readonly standard_deviation: number;
  readonly met: number;
  readonly expected: number;
  readonly removed: readonly string[];
  readonly buckets: readonly string[];
}

describe.skipIf(peersPython() === null)('MinHash of the Spark job', () => {
  it('estimates exact Jaccard indices as well as theory says, and lets pairs meet as often', async () => {
    const found = await askPeer<Found>('near_duplicates.py', [SCRIPTS]);
    // 400 pairs: the standard errors are 0.05, 0.035 and 0.02.
    expect(Math.abs(found.mean_deviation)).toBeLessThan(0.15);
    expect(Math.abs(found.standard_deviation - 1)).toBeLessThan(0.12);
    expect(Math.abs(found.met - found.expected)).toBeLessThan(0.05);
    expect(found.removed).toEqual(['2']);
    // Every worker must find the same ones, whatever its Python.
    expect(found.buckets).toEqual(['4079181097972109695', '-7574443122982430506']);
  });
});
