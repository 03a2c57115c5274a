import { describe, expect, it } from 'vitest';
import { createAsyncQueue } from '../../src/generate/async-queue.js';

async function readAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('a queue', () => {
  it('yields what is pushed before and while it is read, up to its end', async () => {
    const queue = createAsyncQueue<number>();
    queue.push(1);
    const reading = readAll(queue.items);
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    queue.end();
    queue.push(4);
    expect(await reading).toEqual([1, 2, 3]);
    expect(queue.abandoned).toBe(false);
  });

  it('throws its failure after the items that were pushed before', async () => {
    const queue = createAsyncQueue<number>();
    queue.push(1);
    queue.fail(new Error('broken'));
    queue.end();
    const found: number[] = [];
    const reading = (async () => {
      for await (const item of queue.items) found.push(item);
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(found).toEqual([1]);
  });

  it('knows whether its reader stopped early', async () => {
    const queue = createAsyncQueue<number>();
    queue.push(1);
    for await (const _ of queue.items) break;
    expect(queue.abandoned).toBe(true);
  });
});
