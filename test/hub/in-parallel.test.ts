import { expect, it } from 'vitest';
import { inParallel } from '../../src/hub/in-parallel.js';

/** Work that ends when it is told to, or is stopped. */
function controlled() {
  const ends = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const work = (item: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      ends.set(item, { resolve, reject });
      signal.addEventListener('abort', () => reject(new Error(`${item} was stopped`)));
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { work, ends, begun: () => [...ends.keys()], turn };
}

it('the next task begins when one is done, in order', async () => {
  const { work, ends, begun, turn } = controlled();
  const all = inParallel([1, 2, 3, 4], { limit: 2 }, work);
  expect(begun()).toEqual([1, 2]);
  ends.get(2)!.resolve();
  await turn();
  expect(begun()).toEqual([1, 2, 3]);
  for (const item of [1, 3]) ends.get(item)!.resolve();
  await turn();
  ends.get(4)!.resolve();
  await all;
});

it('the first failure stops the others and is thrown, and no further task begins', async () => {
  const { work, ends, begun } = controlled();
  const all = inParallel([1, 2, 3], { limit: 2 }, work);
  ends.get(2)!.reject(new Error('2 failed'));
  await expect(all).rejects.toThrow('2 failed');
  expect(begun()).toEqual([1, 2]);
});

it('the work ends with the reason of its signal', async () => {
  const { work } = controlled();
  const controller = new AbortController();
  const all = inParallel([1, 2, 3], { limit: 2, signal: controller.signal }, work);
  controller.abort(new Error('enough'));
  await expect(all).rejects.toThrow('1 was stopped');
  await expect(inParallel([1], { limit: 2, signal: controller.signal }, work)).rejects.toThrow('enough');
});

it('without items nothing is done', async () => {
  await inParallel([], { limit: 2 }, () => Promise.reject(new Error('called')));
});
