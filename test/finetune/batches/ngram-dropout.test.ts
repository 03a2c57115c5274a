import { describe, expect, it } from 'vitest';
import { type HashConfig, hashRows, hashTables } from '../../../src/blt/index.js';
import { dropNgrams, keptSizes } from '../../../src/finetune/batches/ngram-dropout.js';
import { uniformOf } from '../../../src/random.js';

/** Two functions, and sizes that are not in order: tables are function-major. */
const HASH: HashConfig = { sizes: [4, 2, 3], functions: 2, vocab: 1000 };
const TABLES = hashTables(HASH);
const COUNT = 20_000;
const IDS = Int32Array.from({ length: COUNT }, (_, i) => 4 + ((i * i) % 251));
const ROWS = hashRows(IDS, HASH);

function dropped(share: number, key = 'test', documents = [{ start: 0, end: COUNT }]): Int32Array {
  const rows = ROWS.slice();
  dropNgrams(rows, [{ ids: IDS, documents, number: 3 }], HASH, { share, key });
  return rows;
}

/** For each position, the sizes of whose rows at least one differs. */
function changedSizes(rows: Int32Array): number[][] {
  return Array.from({ length: COUNT }, (_, position) => {
    const at = (table: number) => position * TABLES + table;
    const tables = Array.from({ length: TABLES }, (_, table) => table);
    const changed = tables.filter((table) => rows[at(table)] !== ROWS[at(table)]);
    return [...new Set(changed.map((table) => HASH.sizes[table % HASH.sizes.length]!))].sort();
  });
}

describe('keptSizes', () => {
  it('drops nothing where the share is 0, and something everywhere where it is 1, each size first equally often', () => {
    const none = keptSizes(HASH, 0, uniformOf('none'));
    const all = keptSizes(HASH, 1, uniformOf('all'));
    const counts = new Map<number, number>();
    expect(Array.from({ length: COUNT }, none).every((size) => size === Number.POSITIVE_INFINITY)).toBe(true);
    for (const size of Array.from({ length: COUNT }, all)) counts.set(size, (counts.get(size) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual([1, 2, 3]);
    for (const count of counts.values()) expect(Math.abs(count / COUNT - 1 / 3)).toBeLessThan(0.02);
  });
});

describe('dropNgrams', () => {
  it('replaces the rows of n-grams above a size, at its share of the positions, and no others', () => {
    const changed = changedSizes(dropped(0.6));
    // A random row may be the one that was there.
    const complete = [[], [4], [3, 4], [2, 3, 4]].map((sizes) => sizes.join());
    const partial = changed.filter((sizes) => !complete.includes(sizes.join()));
    expect(partial.length / COUNT).toBeLessThan(0.001);
    const share = (sizes: readonly number[]) => changed.filter((some) => some.join() === sizes.join()).length / COUNT;
    expect(Math.abs(share([]) - 0.4)).toBeLessThan(0.02);
    for (const sizes of [[4], [3, 4], [2, 3, 4]]) expect(Math.abs(share(sizes) - 0.2)).toBeLessThan(0.02);
  });

  it('looks up random rows of the same tables, all of them equally often', () => {
    const rows = dropped(1);
    const sums = new Float64Array(TABLES);
    rows.forEach((row, i) => {
      sums[i % TABLES]! += row % HASH.vocab;
    });
    expect(rows.every((row, i) => Math.floor(row / HASH.vocab) === i % TABLES)).toBe(true);
    for (const sum of sums) expect(Math.abs(sum / COUNT / HASH.vocab - 0.5)).toBeLessThan(0.05);
  });

  it('changes nothing if the share is 0, and repeats its choice for the same key', () => {
    expect(dropped(0)).toEqual(ROWS);
    expect(dropped(0.5)).toEqual(dropped(0.5));
    expect(dropped(0.5)).not.toEqual(dropped(0.5, 'another'));
  });

  it('leaves padding alone', () => {
    const rows = dropped(1, 'test', [{ start: 100, end: 200 }]);
    expect(rows.subarray(0, 100 * TABLES)).toEqual(ROWS.subarray(0, 100 * TABLES));
    expect(rows.subarray(100 * TABLES, 200 * TABLES)).not.toEqual(ROWS.subarray(100 * TABLES, 200 * TABLES));
    expect(rows.subarray(200 * TABLES)).toEqual(ROWS.subarray(200 * TABLES));
  });

  it('drops the same n-grams of a row whichever rows are beside it, and others in other rows', () => {
    const half = COUNT / 2;
    const row = (number: number) => ({ ids: IDS.subarray(0, half), documents: [{ start: 0, end: half }], number });
    const dropOf = (...numbers: number[]) => {
      const rows = new Int32Array(numbers.length * half * TABLES);
      numbers.forEach((_, i) => {
        rows.set(ROWS.subarray(0, half * TABLES), i * half * TABLES);
      });
      dropNgrams(rows, numbers.map(row), HASH, { share: 0.5, key: 'test' });
      return numbers.map((_, i) => rows.slice(i * half * TABLES, (i + 1) * half * TABLES));
    };
    const [first, second] = dropOf(1, 2);
    expect(dropOf(2)[0]).toEqual(second);
    expect(first).not.toEqual(second);
  });
});
