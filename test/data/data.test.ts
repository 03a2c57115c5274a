import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BOE, BOS, BYTE_OFFSET, EOS } from '../../src/blt/index.js';
import {
  buildStore,
  createPacker,
  evaluationTexts,
  openStore,
  type PackedRow,
  piecesOf,
  type Split,
} from '../../src/data/index.js';

const root = mkdtempSync(join(tmpdir(), 'byteify-data-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const fresh = () => join(root, `${folders++}`);
const text = new TextEncoder();

const SETTINGS = { pieceBytes: 64, validationFraction: 0.3, seed: 1, textKey: 'text' };

async function filesIn(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = fresh();
  for (const [name, contents] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), contents);
  }
  return folder;
}

async function everything(split: Split): Promise<string[]> {
  return Promise.all(
    Array.from({ length: split.count }, async (_, i) => new TextDecoder().decode(await split.read(i))),
  );
}

const PARAGRAPHS = Array.from({ length: 20 }, (_, i) => `Paragraph ${i} says something of its own.\n`);

describe('a store', () => {
  it('holds every document of every kind of file once, on one side or the other', async () => {
    const jsonl = PARAGRAPHS.slice(0, 5)
      .map((line) => JSON.stringify({ text: line }))
      .join('\n');
    const folder = await filesIn({
      'a.txt': PARAGRAPHS[5]!,
      'deep/b.md': PARAGRAPHS[6]!,
      'c.jsonl': `${jsonl}\n\n`,
      'd.txt.gz': gzipSync(PARAGRAPHS[7]!),
      'e.jsonl.gz': gzipSync(`${JSON.stringify({ text: PARAGRAPHS[8] })}\n`),
      'copy-of-a.txt': PARAGRAPHS[5]!,
      '.hidden': 'not meant',
      'node_modules/x.md': 'not meant',
    });
    await symlink(folder, join(folder, 'deep/loop'));
    const manifest = await buildStore({ ...SETTINGS, paths: [folder], out: join(fresh(), 'data') });
    expect(manifest.refused).toEqual([]);
    expect(manifest.duplicates).toBe(1);
    expect(manifest.train.pieces + manifest.validation.pieces).toBe(9);
    expect(manifest.files.map(({ documents }) => documents).reduce((a, b) => a + b)).toBe(9);
  });

  it('names and counts what it leaves out', async () => {
    const truncated = gzipSync(PARAGRAPHS.join('')).subarray(0, 60);
    const folder = await filesIn({
      'good.txt': PARAGRAPHS.join(''),
      'empty.txt': '',
      'binary.bin': Uint8Array.of(1, 0, 2),
      'latin1.txt': Uint8Array.of(0x63, 0x61, 0x66, 0xe9),
      'broken.txt.gz': truncated,
      'lines.jsonl': `${JSON.stringify({ text: 'fine' })}\nnot json\n${JSON.stringify({ other: 1 })}\n${JSON.stringify({ text: '' })}\n{"text":"\\ud800"}\n`,
    });
    const manifest = await buildStore({ ...SETTINGS, paths: [folder], out: join(fresh(), 'data') });
    const refused = Object.fromEntries(
      manifest.refused.map(({ path, line, reason }) => [
        `${path.slice(folder.length + 1)}${line ? `:${line}` : ''}`,
        reason,
      ]),
    );
    expect(refused).toEqual({
      'empty.txt': 'it is empty',
      'binary.bin': expect.stringContaining('binary'),
      'latin1.txt': expect.stringContaining('UTF-8'),
      'broken.txt.gz': expect.stringContaining('cut off'),
      'lines.jsonl:2': expect.stringContaining('not JSON'),
      'lines.jsonl:3': expect.stringContaining('"text"'),
      'lines.jsonl:4': expect.stringContaining('empty'),
      'lines.jsonl:5': expect.stringContaining('Unicode'),
    });
  });

  it('cannot be made of nothing, and leaves nothing then', async () => {
    const out = join(fresh(), 'data');
    await expect(buildStore({ ...SETTINGS, paths: [await filesIn({ 'a.txt': '' })], out })).rejects.toThrow(
      /Nothing of --data can be used .* it is empty/,
    );
    await expect(buildStore({ ...SETTINGS, paths: [join(root, 'nowhere')], out })).rejects.toThrow(
      /nowhere does not exist/,
    );
    await expect(buildStore({ ...SETTINGS, paths: [await filesIn({ 'a.txt': 'short' })], out })).rejects.toThrow(
      /too little text/,
    );
    await expect(readFile(join(out, 'data.json'))).rejects.toThrow();
  });

  it('puts a piece on a side by its content, not by its place', async () => {
    const sides = async (paragraphs: readonly string[]) => {
      const out = join(fresh(), 'data');
      const files = Object.fromEntries(paragraphs.map((line, i) => [`${i}.txt`, line]));
      await buildStore({ ...SETTINGS, paths: [await filesIn(files)], out });
      const store = await openStore(out);
      const held = (await everything(store.validation)).sort();
      await store.close();
      return held;
    };
    expect(await sides([...PARAGRAPHS].reverse())).toEqual(await sides(PARAGRAPHS));
  });
});

describe('pieces', () => {
  it('join to the document, none too long, none beginning inside a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
        fc.integer({ min: 8, max: 64 }),
        (document, limit) => {
          const bytes = text.encode(document);
          const pieces = [...piecesOf(bytes, limit)];
          expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
          for (const piece of pieces) {
            expect(piece.length).toBeLessThanOrEqual(limit);
            expect(() => new TextDecoder('utf-8', { fatal: true }).decode(piece)).not.toThrow();
          }
        },
      ),
    );
  });
});

function splitOf(pieces: readonly Uint8Array[]): Split {
  return {
    count: pieces.length,
    byteCount: pieces.reduce((sum, { length }) => sum + length, 0),
    byteLength: (i) => pieces[i]!.length,
    read: async (i) => pieces[i]!,
  };
}

const somePieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 120 }), { minLength: 1, maxLength: 12 });

/** Bytes that rows predict, in order. */
function predicted(rows: readonly Pick<PackedRow, 'targets' | 'weights'>[]): number[] {
  return rows.flatMap(({ targets, weights }) =>
    [...targets].filter((id, p) => weights[p] === 1 && id >= BYTE_OFFSET).map((id) => id - BYTE_OFFSET),
  );
}

describe('packed rows', () => {
  it('predict every byte once an epoch', async () => {
    await fc.assert(
      fc.asyncProperty(somePieces, fc.integer({ min: 32, max: 80 }), async (pieces, rowBytes) => {
        const packer = createPacker({ split: splitOf(pieces), rowBytes, seed: 3 });
        const rows: PackedRow[] = [];
        while (packer.state().epoch === 0 && packer.state().place < pieces.length) rows.push(...(await packer.next(1)));
        const first = predicted(rows).slice(
          0,
          pieces.reduce((sum, { length }) => sum + length, 0),
        );
        const counts = (bytes: readonly number[]) =>
          bytes.reduce((all, byte) => all.set(byte, (all.get(byte) ?? 0) + 1), new Map<number, number>());
        expect([...counts(first)].sort()).toEqual([...counts(pieces.flatMap((piece) => [...piece]))].sort());
      }),
    );
  });

  it('that repeat are the same rows with the same numbers every epoch, none of two epochs, from any row on', async () => {
    await fc.assert(
      fc.asyncProperty(somePieces, fc.integer({ min: 32, max: 80 }), async (pieces, rowBytes) => {
        const settings = { split: splitOf(pieces), rowBytes, seed: 3, repeat: true };
        const packer = createPacker(settings);
        const first: PackedRow[] = [];
        while (first.length === 0 || packer.state().place < pieces.length) first.push(...(await packer.next(1)));
        expect(predicted(first).length).toBe(pieces.reduce((sum, { length }) => sum + length, 0));
        expect(first.map(({ number }) => number)).toEqual([...first.keys()]);
        const middle = packer.state();
        const later = await packer.next(2 * first.length);
        expect(later).toEqual([...first, ...first]);
        expect(await createPacker({ ...settings, state: middle }).next(first.length)).toEqual(first);
      }),
    );
  });

  it('that do not repeat come in another order each epoch', async () => {
    const pieces = Array.from({ length: 12 }, (_, i) => new Uint8Array(62).fill(i));
    const orderOf = async (repeat: boolean) => {
      const rows = await createPacker({ split: splitOf(pieces), rowBytes: 64, seed: 3, repeat }).next(24);
      const order = rows.map(({ ids }) => ids[1]);
      return [order.slice(0, 12), order.slice(12)];
    };
    const [once, again] = await orderOf(true);
    expect(again).toEqual(once);
    const [one, other] = await orderOf(false);
    expect(other).not.toEqual(one);
    expect(other!.toSorted()).toEqual(one!.toSorted());
  });

  it('are chunks of BOS and bytes; EOS ends a piece and predicts nothing; the rest is padding without weight', async () => {
    await fc.assert(
      fc.asyncProperty(somePieces, async (pieces) => {
        const rows = await createPacker({ split: splitOf(pieces), rowBytes: 64, seed: 5 }).next(6);
        for (const { ids, targets, weights, chunks, byteCount } of rows) {
          expect(ids.length).toBe(64);
          let covered = 0;
          for (const { start, end } of chunks) {
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

  it('go on after any stop as if there had been none', async () => {
    await fc.assert(
      fc.asyncProperty(somePieces, fc.integer({ min: 0, max: 8 }), async (pieces, stop) => {
        const options = { split: splitOf(pieces), rowBytes: 48, seed: 7 };
        const whole = await createPacker(options).next(stop + 4);
        const before = createPacker(options);
        await before.next(stop);
        const state = JSON.parse(JSON.stringify(before.state()));
        expect(await createPacker({ ...options, state }).next(4)).toEqual(whole.slice(stop));
      }),
    );
  });
});

describe('held-out texts', () => {
  it('are whole characters within the budget', async () => {
    const pieces = ['naïve café ', '東京タワー', 'plain'].map((piece) => text.encode(piece));
    for (let maxBytes = 1; maxBytes < 40; maxBytes++) {
      const texts = await evaluationTexts(splitOf(pieces), { maxBytes, textBytes: 7 });
      expect(texts.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maxBytes);
      for (const piece of texts) expect(() => new TextDecoder('utf-8', { fatal: true }).decode(piece)).not.toThrow();
    }
  });
});
