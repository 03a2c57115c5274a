import { beforeAll, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/blt/index.js';
import { startEngine } from '../../src/engine/index.js';
import { type GenerationRequest, openGenerator, PLAIN_SAMPLING, type WrittenBytes } from '../../src/generate/index.js';
import { openHeldBlt } from '../../src/model/index.js';
import { goldenPath } from '../support/golden.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const request: GenerationRequest = {
  prompt: [...encodeBytes(new TextEncoder().encode('ab'))],
  maxBytes: 40,
  sampling: { ...PLAIN_SAMPLING, temperature: 0 },
  seed: 0,
  stops: [],
};

async function outcome(text: AsyncIterable<WrittenBytes>): Promise<unknown> {
  let count = 0;
  try {
    for await (const { bytes } of text) count += bytes.length;
    return count;
  } catch (error) {
    return error;
  }
}

describe('texts that nobody waits for any more', () => {
  it.each(['eager', 'graph'] as const)('leave the lane, or the queue at once, with steps run as %s', async (mode) => {
    const model = await openHeldBlt(goldenPath('plain/blt'));
    const generator = openGenerator(model, { lanes: 1, mode });
    const [runs, waits] = [new AbortController(), new AbortController()];
    const running = outcome(generator.generate(request, { signal: runs.signal })[0]!);
    const waiting = outcome(generator.generate(request, { signal: waits.signal })[0]!);
    const last = outcome(generator.generate(request)[0]!);
    // A timer fires while texts are written only if the steps leave room for it.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(generator.state()).toMatchObject({ running: 1, waiting: 2 });
    waits.abort('left the queue');
    expect(await waiting).toBe('left the queue');
    expect(generator.state()).toMatchObject({ running: 1, waiting: 1 });
    runs.abort('left the lane');
    expect(await running).toBe('left the lane');
    expect(await last).toBe(40);
    expect(generator.state()).toMatchObject({ running: 0, waiting: 0 });
    await generator.close();
    model.dispose();
  });
});
