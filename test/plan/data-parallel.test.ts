import { describe, expect, it } from 'vitest';
import { ringBytes, ringSeconds, stepSeconds } from '../../src/plan/index.js';

/** Sums a vector over processes in a ring, chunk by chunk. @returns the sums of each process, and the numbers that each has sent */
function ring(processes: number, length: number) {
  const size = length / processes;
  const vectors = Array.from({ length: processes }, (_, rank) => Array.from({ length }, (_, i) => rank * length + i));
  const sent = new Array<number>(processes).fill(0);
  const pass = (take: (rank: number, step: number) => number, put: (own: number, given: number) => number) => {
    for (let step = 0; step < processes - 1; step++) {
      const messages = vectors.map((vector, rank) => {
        const chunk = (((take(rank, step) % processes) + processes) % processes) * size;
        sent[rank]! += size;
        return { at: chunk, values: vector.slice(chunk, chunk + size) };
      });
      messages.forEach(({ at, values }, rank) => {
        const to = vectors[(rank + 1) % processes]!;
        values.forEach((value, i) => {
          to[at + i] = put(to[at + i]!, value);
        });
      });
    }
  };
  pass(
    (rank, step) => rank - step,
    (own, given) => own + given,
  );
  pass(
    (rank, step) => rank + 1 - step,
    (_, given) => given,
  );
  return { vectors, sent };
}

describe('sums over processes', () => {
  it.each([2, 3, 4, 8])('send what a ring of %i sends', (processes) => {
    const length = 24 * processes;
    const { vectors, sent } = ring(processes, length);
    const total = Array.from({ length }, (_, i) => (processes * (processes - 1) * length) / 2 + processes * i);
    for (const vector of vectors) expect(vector).toEqual(total);
    for (const count of sent) expect(4 * count).toBe(ringBytes(4 * length, processes));
  });

  it('take as long as the bytes and the messages of the ring', () => {
    const network = { bytesPerSecond: 1e9, latencySeconds: 1e-3 };
    expect(ringSeconds(1e9, 1, network)).toBe(0);
    expect(ringSeconds(1e9, 4, network)).toBeCloseTo(1.5 + 6e-3, 12);
  });
});

it('a step computes, sums each bucket and sends its rows to every other process', () => {
  const network = { bytesPerSecond: 1e9, latencySeconds: 0 };
  const parts = { computeSeconds: 2, serialSeconds: 0.5, buckets: [1e9, 2e9], rowBytes: 1e8 };
  expect(stepSeconds(parts, 1, network)).toBe(2.5);
  expect(stepSeconds(parts, 4, network)).toBeCloseTo(2.5 + 4.5 + 0.3, 12);
});
