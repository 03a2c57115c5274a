import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOE, BOS, BYTE_OFFSET, EOS } from '../../src/blt/index.js';
import { createPacker, PACKER_START, type PackedRow, type PackerState } from '../../src/data/pack.js';
import { splitOf } from '../support/split.js';

const someChunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 120 }), { minLength: 1, maxLength: 12 });

/** The bytes that rows predict, in order. */
function predicted(rows: readonly Pick<PackedRow, 'targets' | 'weights'>[]): number[] {
  return rows.flatMap(({ targets, weights }) =>
    [...targets].filter((id, p) => weights[p] === 1 && id >= BYTE_OFFSET).map((id) => id - BYTE_OFFSET),
  );
}

describe('packed rows', () => {
  it('predict every byte once per epoch', async () => {
    await fc.assert(
      fc.asyncProperty(someChunks, fc.integer({ min: 32, max: 80 }), async (chunks, rowBytes) => {
        const packer = createPacker({ split: splitOf(chunks), rowBytes, seed: 3 });
        const rows: PackedRow[] = [];
        while (packer.state().epoch === 0 && packer.state().place < chunks.length) rows.push(...(await packer.next(1)));
        const first = predicted(rows).slice(
          0,
          chunks.reduce((sum, { length }) => sum + length, 0),
        );
        const counts = (bytes: readonly number[]) =>
          bytes.reduce((all, byte) => all.set(byte, (all.get(byte) ?? 0) + 1), new Map<number, number>());
        expect([...counts(first)].sort()).toEqual([...counts(chunks.flatMap((chunk) => [...chunk]))].sort());
      }),
    );
  });

  it('that repeat are identical in every epoch, never span two epochs, and can start from any row', async () => {
    await fc.assert(
      fc.asyncProperty(someChunks, fc.integer({ min: 32, max: 80 }), async (chunks, rowBytes) => {
        const settings = { split: splitOf(chunks), rowBytes, seed: 3, repeat: true };
        const packer = createPacker(settings);
        const first: PackedRow[] = [];
        while (first.length === 0 || packer.state().place < chunks.length) first.push(...(await packer.next(1)));
        expect(predicted(first).length).toBe(chunks.reduce((sum, { length }) => sum + length, 0));
        expect(first.map(({ number }) => number)).toEqual([...first.keys()]);
        const middle = packer.state();
        const later = await packer.next(2 * first.length);
        expect(later).toEqual([...first, ...first]);
        expect(await createPacker({ ...settings, state: middle }).next(first.length)).toEqual(first);
      }),
    );
  });

  it('that do not repeat have a different order in each epoch', async () => {
    const chunks = Array.from({ length: 12 }, (_, i) => new Uint8Array(62).fill(i));
    const orderOf = async (repeat: boolean) => {
      const rows = await createPacker({ split: splitOf(chunks), rowBytes: 64, seed: 3, repeat }).next(24);
      const order = rows.map(({ ids }) => ids[1]);
      return [order.slice(0, 12), order.slice(12)];
    };
    const [once, again] = await orderOf(true);
    expect(again).toEqual(once);
    const [one, other] = await orderOf(false);
    expect(other).not.toEqual(one);
    expect(other!.toSorted()).toEqual(one!.toSorted());
  });

  it('contain documents of BOS and bytes, EOS at the end of a document chunk, and padding without weight', async () => {
    await fc.assert(
      fc.asyncProperty(someChunks, async (chunks) => {
        const rows = await createPacker({ split: splitOf(chunks), rowBytes: 64, seed: 5 }).next(6);
        for (const { ids, targets, weights, documents, byteCount } of rows) {
          expect(ids.length).toBe(64);
          let covered = 0;
          for (const { start, end } of documents) {
            expect(start).toBe(covered);
            covered = end;
            expect(ids[start]).toBe(BOS);
            for (let p = start + 1; p < end; p++)
              expect(ids[p]! >= BYTE_OFFSET || (ids[p] === EOS && p === end - 1)).toBe(true);
            for (let p = start; p < end - 1; p++) expect([targets[p], weights[p]]).toEqual([ids[p + 1], 1]);
            if (ids[end - 1] === EOS) expect(weights[end - 1]).toBe(0);
          }
          for (let p = covered; p < 64; p++) expect([ids[p], weights[p]]).toEqual([BOE, 0]);
          expect(predicted([{ targets, weights }]).length).toBe(byteCount);
        }
      }),
    );
  });

  const runs = fc.record({
    chunks: someChunks,
    rowBytes: fc.integer({ min: 2, max: 80 }),
    seed: fc.nat(),
    repeat: fc.boolean(),
  });

  it('continue after any number of stops as if there had been none, however many are requested at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }),
        async ({ chunks, ...settings }, sessions) => {
          const options = { split: splitOf(chunks), ...settings };
          const total = sessions.reduce((sum, rows) => sum + rows, 0);
          const whole = await createPacker(options).next(total);
          let state = PACKER_START;
          const parts: PackedRow[] = [];
          for (const rows of sessions) {
            const packer = createPacker({ ...options, state });
            parts.push(...(await packer.next(rows)));
            state = JSON.parse(JSON.stringify(packer.state())) as PackerState;
          }
          expect(parts).toEqual(whole);
          const atOnce = createPacker(options);
          await atOnce.next(total);
          expect(state).toEqual(atOnce.state());
        },
      ),
    );
  });
});
