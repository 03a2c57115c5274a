import { expect, it } from 'vitest';
import { exchangeOutputs } from '../../../src/finetune/batches/exchange-outputs.js';
import type { Channel } from '../../../src/group/index.js';

/** Channels of so many processes in this one. */
function channels(count: number): Channel[] {
  const bodies: Uint8Array[] = [];
  let all!: (found: readonly Uint8Array[]) => void;
  const complete = new Promise<readonly Uint8Array[]>((resolve) => {
    all = resolve;
  });
  return Array.from({ length: count }, (_, rank) => ({
    gather(body: Uint8Array) {
      bodies[rank] = body;
      if (bodies.filter(Boolean).length === count) all(bodies);
      return complete;
    },
    close() {},
  }));
}

it.each([true, false])('every process gets the outputs of all, in order (aligned: %s)', async (aligned) => {
  const output = (first: number) => ({
    entropies: Float32Array.of(first, first + 0.5),
    endProbabilities: aligned ? Float32Array.of(1 / first, 0) : null,
  });
  const owns = [
    [output(1), output(2)],
    [output(3), output(4)],
  ];
  const found = await Promise.all(channels(2).map((channel, rank) => exchangeOutputs(channel)(owns[rank]!)));
  for (const all of found) expect(all).toEqual(owns.flat());
});
