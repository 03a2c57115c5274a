import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  allTexts,
  buildStore,
  createPacker,
  type DomainFiles,
  domainOf,
  evaluationTexts,
  openingTexts,
  openStore,
  type Split,
  textDomain,
  textOf,
} from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const path = (...names: string[]) => join(folder(), ...names);

/** Bytes that are no UTF-8 anywhere, and contain zeros and a byte order mark. */
const image = (number: number, length = 90) =>
  Uint8Array.from({ length }, (_, i) => [0xef, 0xbb, 0xbf, 0, 0xff, number][i % 6]!);

const images = (settings: Partial<DomainFiles> = {}): DomainFiles => ({
  ...{ name: 'images', kind: 'bytes', paths: [path('images')], chunkBytes: 100, longer: 'cut', weight: null },
  ...settings,
});
const texts = (settings: Partial<DomainFiles> = {}): DomainFiles => ({
  ...textDomain([path('texts')], 100),
  ...settings,
});

const build = (...domains: DomainFiles[]) =>
  buildStore({ domains, out: path('data'), validationFraction: 0.2, seed: 1, textKey: 'text' });

const chunksOf = (split: Split) =>
  Promise.all(Array.from({ length: split.count }, async (_, i) => Buffer.from(await split.read(i))));

beforeEach(async () => {
  for (const name of ['texts', 'images']) await mkdir(path(name));
  for (let i = 0; i < 20; i++) {
    await writeFile(path('texts', `${i}.txt`), `Text ${i} says something of its own, in one line.\n`);
    await writeFile(path('images', `${i}.bin`), image(i));
  }
});

describe('files of any bytes', () => {
  it('are documents as they are, beside text, and recorded by domain', async () => {
    const manifest = await build(images(), texts());
    expect(manifest.refused).toEqual([]);
    // Text comes first, so that what reads only text reads a beginning.
    expect(manifest.domains!.map(({ name }) => name)).toEqual(['text', 'images']);
    const store = await openStore(path('data'));
    const all = [...(await chunksOf(store.train)), ...(await chunksOf(store.validation))].map((chunk) =>
      chunk.toString('hex'),
    );
    for (let i = 0; i < 20; i++) expect(all).toContain(Buffer.from(image(i)).toString('hex'));
    for (const split of ['train', 'validation'] as const)
      expect(
        manifest.domains!.reduce((sum, domain) => sum + domain[split].bytes, 0),
        split,
      ).toBe(manifest[split].bytes);
    await store.close();
  });

  it('are neither decompressed nor checked', async () => {
    await writeFile(path('images', 'a.png'), Buffer.from('89504e470d0a1a0a', 'hex'));
    await writeFile(path('images', 'a.gz'), Buffer.from('1f8b0800', 'hex'));
    expect((await build(images())).refused).toEqual([]);
    expect((await build(texts({ paths: [path('texts'), path('images', 'a.png')] }))).refused).toMatchObject([
      { path: path('images', 'a.png') },
    ]);
  });

  it('are cut anywhere if they are long, or left out', async () => {
    await writeFile(path('images', 'long.bin'), image(99, 250));
    const chunks = async () => {
      const store = await openStore(path('data'));
      const found = [...(await chunksOf(store.train)), ...(await chunksOf(store.validation))];
      await store.close();
      return found.filter((chunk) => chunk.includes(99)).map(({ length }) => length);
    };
    await build(images());
    expect((await chunks()).sort()).toEqual([100, 100, 50]);
    const { refused, files } = await build(images({ longer: 'leave_out' }));
    // Its digest tells later whether it has changed.
    expect(files.find((file) => file.path.endsWith('long.bin'))).toMatchObject({ documents: 0, bytes: 0 });
    expect(refused).toEqual([{ path: path('images', 'long.bin'), reason: 'it has a document of more than 100 bytes' }]);
    expect(await chunks()).toEqual([]);
  });

  it('that are empty are refused, and so is a domain of nothing', async () => {
    await writeFile(path('images', 'empty'), '');
    expect((await build(images())).refused).toMatchObject([{ reason: 'it is empty' }]);
    await expect(build(texts(), images({ paths: [path('images', 'empty')] }))).rejects.toThrow(
      /no usable data of the domain images \(.*empty: it is empty\)/,
    );
    await mkdir(path('hollow'));
    await expect(build(texts(), images({ paths: [path('hollow')] }))).rejects.toMatchObject({
      message: 'The folders that --data names for the domain images contain no files.',
      hint: 'Hidden files and node_modules are skipped.',
    });
    await expect(build(texts(), images({ paths: [path('texts')] }))).rejects.toThrow(
      'All files of the domain images belong to another domain as well.',
    );
    await mkdir(path('copies'));
    await writeFile(path('copies', '1'), await readFile(path('texts', '1.txt')));
    await expect(build(texts(), images({ paths: [path('copies')] }))).rejects.toThrow(
      'All data of the domain images is in other domains as well, so nothing of it is left.',
    );
  });
});

describe('long text in a domain that leaves it out', () => {
  it('is refused record by record', async () => {
    const record = (text: string) => `${JSON.stringify({ text })}\n`;
    await writeFile(path('texts', 'all.jsonl'), record('x'.repeat(101)) + record('y'.repeat(100)) + record('z'));
    const manifest = await build(texts({ longer: 'leave_out' }));
    expect(manifest.refused.length).toBe(1);
    expect(manifest.files.find((file) => file.path.endsWith('all.jsonl'))).toMatchObject({ documents: 2, bytes: 101 });
  });
});

describe('the splits', () => {
  it('both have a chunk of each domain if it has two', async () => {
    for (let i = 2; i < 20; i++) await writeFile(path('images', `${i}.bin`), image(0));
    const manifest = await build(texts(), images());
    for (const { train, validation } of manifest.domains!) {
      expect(train.pieces).toBeGreaterThan(0);
      expect(validation.pieces).toBeGreaterThan(0);
    }
    const store = await openStore(path('data'));
    for (const split of [store.train, store.validation])
      for (const { kind, from, to } of split.domains)
        for (let chunk = from; chunk < to; chunk++)
          expect((await split.read(chunk)).includes(0xff), `${kind} ${chunk}`).toBe(kind === 'bytes');
    await store.close();
    await writeFile(path('one.bin'), image(5));
    await expect(build(texts(), images({ paths: [path('one.bin')] }))).rejects.toMatchObject({
      message: expect.stringMatching(/too little data of the domain images/),
      hint: expect.stringMatching(/data\.domains\.images\.max_document_bytes/),
    });
  });

  it('give what reads only text their text', async () => {
    await build(images(), texts());
    const { train, close } = await openStore(path('data'));
    const text = textOf(train);
    expect(text.count).toBeLessThan(train.count);
    const chunks = await chunksOf(text);
    expect(chunks.every((chunk) => chunk.toString().startsWith('Text '))).toBe(true);
    expect(text.byteCount).toBe(Buffer.concat(chunks).length);
    await close();
  });

  it('give what reads one domain that domain, or say which there are', async () => {
    await build(images(), texts());
    const { validation, close } = await openStore(path('data'));
    const found = await evaluationTexts(domainOf(validation, 'images'), { maxBytes: 1000 });
    expect(found.map(({ name }) => name)).toEqual(['images']);
    expect(allTexts(found).every((bytes) => bytes.includes(0xff))).toBe(true);
    expect(() => domainOf(validation, 'sounds')).toThrow('The data have no domain "sounds"');
    await close();
  });

  it('of a store of an earlier version are one domain of text', async () => {
    await build(texts());
    const manifest = JSON.parse(await readFile(path('data', 'data.json'), 'utf8'));
    const { domains: _, ...earlier } = manifest;
    await writeFile(path('data', 'data.json'), JSON.stringify({ ...earlier, piece_bytes: 100 }));
    const { train, close } = await openStore(path('data'));
    expect(train.domains).toEqual([{ name: 'text', kind: 'text', weight: null, from: 0, to: train.count }]);
    expect(textOf(train)).toBe(train);
    await close();
  });
});

describe('held-out texts', () => {
  it('are as much of each domain, cut between characters where it is text', async () => {
    await writeFile(path('texts', 'long.txt'), `${'é'.repeat(5000)}\n`);
    await writeFile(path('images', 'long.bin'), image(7, 20_000));
    await build(texts({ chunkBytes: 20_000 }), images({ chunkBytes: 20_000 }));
    const store = await openStore(path('data'));
    for (const split of [store.train, store.validation])
      for (const maxBytes of [101, 4001, 5000])
        for (const found of [
          await evaluationTexts(split, { maxBytes }),
          await openingTexts(split, { maxBytes, openingBytes: 333 }),
        ]) {
          expect(found.map(({ name }) => name)).toEqual(['text', 'images']);
          for (const domain of found) {
            expect(allTexts([domain]).reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maxBytes / 2);
            if (domain.kind === 'text')
              for (const text of domain.texts) new TextDecoder('utf-8', { fatal: true }).decode(text);
          }
          expect(found[1]!.texts.length).toBeGreaterThan(0);
        }
    await store.close();
  });
});

describe('weights', () => {
  /** The share of images among the bytes that epochs read, and how often each chunk was read. */
  async function readEpochs(epochs: number, weights: readonly [number, number] | null, repeat = false) {
    const [ofText, ofImages] = weights ?? [null, null];
    await build(texts({ weight: ofText }), images({ weight: ofImages }));
    const store = await openStore(path('data'));
    const { train: split } = store;
    const packer = createPacker({ split, domains: split.domains, rowBytes: 64, seed: 3, repeat });
    const reads = new Map<string, number>();
    const bytes = { text: 0, images: 0 };
    const resumed: boolean[] = [];
    while (packer.state().epoch < epochs) {
      const state = packer.state();
      const [row] = await packer.next(1);
      const again = createPacker({ split, domains: split.domains, rowBytes: 64, seed: 3, repeat, state });
      resumed.push(JSON.stringify((await again.next(1))[0]!.ids) === JSON.stringify(row!.ids));
      for (const { start, end } of row!.documents) {
        const ids = row!.ids.subarray(start + 1, end).filter((id) => id >= 4);
        const isImage = ids.includes(0xff + 4);
        bytes[isImage ? 'images' : 'text'] += ids.length;
        const key = [...ids].join(' ');
        reads.set(key, (reads.get(key) ?? 0) + 1);
      }
    }
    const chunks = split.count;
    await store.close();
    expect(resumed.every(Boolean)).toBe(true);
    return { share: bytes.images / (bytes.text + bytes.images), reads, chunks };
  }

  it('decide the share of each domain', async () => {
    const natural = (await readEpochs(4, null)).share;
    for (const [ofText, ofImages] of [
      [1, 1],
      [9, 1],
      [1, 3],
    ] as const) {
      const { share } = await readEpochs(6, [ofText, ofImages]);
      expect(share).toBeCloseTo(ofImages / (ofText + ofImages), 1);
      expect(Math.abs(share - natural)).toBeGreaterThan(0.05);
    }
  });

  it('have no effect on what cannot be read', async () => {
    await build(texts(), images());
    const { train: split, close } = await openStore(path('data'));
    const odd = {
      ...{ bos: 0, eos: 1, padding: 1, byteCount: ({ length }: Int32Array) => length },
      read: (chunk: Uint8Array) => (chunk.includes(0xff) ? new Int32Array() : Int32Array.from(chunk)),
    };
    const packer = createPacker({ split, domains: split.domains, alphabet: odd, rowBytes: 64, seed: 1, repeat: true });
    let documents = 0;
    while (packer.state().epoch === 0 && packer.state().place < split.count) {
      const [row] = await packer.next(1);
      for (const { start, end } of row!.documents) {
        documents++;
        expect(end - start).toBeGreaterThan(2);
      }
    }
    expect(documents).toBeGreaterThanOrEqual(split.domains[0]!.to);
    await close();
  });

  it('read all of a domain before any of it again', async () => {
    const { train, close } = await build(texts({ weight: 9 }), images({ weight: 1 })).then(() =>
      openStore(path('data')),
    );
    const [, range] = train.domains;
    const count = range!.to - range!.from;
    const { epochOrder } = await import('../../src/data/epoch-order.js');
    const order = Array.from({ length: 40 }, (_, epoch) => [
      ...epochOrder(train, train.domains, { seed: 3, epoch }),
    ]).flat();
    const ofImages = order.filter((chunk) => chunk >= range!.from);
    expect(ofImages.length).toBeGreaterThan(2 * count);
    const perEpoch = ofImages.length / 40;
    expect(perEpoch).toBeLessThan(count);
    expect(new Set(ofImages.slice(0, count)).size).toBe(count);
    expect(new Set(ofImages.slice(count, 2 * count)).size).toBe(count);
    await close();
  });
});
