import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildStore,
  createPacker,
  type DomainFiles,
  embedText,
  openSplit,
  openStore,
  readStoreManifest,
  type Split,
  textDomain,
  wholeDocuments,
} from '../../src/data/index.js';
import { mergePrepared, prepare } from '../../src/prepare/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const inFolder = (name: string) => join(folder(), name);

const TEXTS = Array.from({ length: 300 }, (_, i) => `Document ${i}: ${'é東x\n'.repeat(i % 40)}`);

async function corpus(texts: readonly string[] = TEXTS): Promise<string> {
  await mkdir(inFolder('in'), { recursive: true });
  // A duplicate, which is dropped in either way.
  const lines = [...texts, texts[0]!].map((text) => `${JSON.stringify({ text })}\n`).join('');
  await writeFile(inFolder('in/a.jsonl'), lines);
  return inFolder('in');
}

async function prepared(path: string, options: { parts?: number; shardBytes?: number; kind?: 'text' | 'bytes' } = {}) {
  const { parts = 1, shardBytes = 1024, kind = 'text' } = options;
  const out = inFolder('prepared');
  for (let part = 0; part < parts; part++)
    await prepare({
      ...{ inputs: [path], licences: new Map(), stdin: () => process.stdin, hub: {}, out, kind, column: 'text' },
      ...{ shardBytes, part, parts, segment: null, identity: { patcher: null, tokenizer: null } },
      ...{ onRefused: () => undefined, onMerge: () => undefined },
    });
  if (parts > 1) await mergePrepared(out);
  return out;
}

const build = (domains: readonly DomainFiles[], out: string) =>
  buildStore({ domains, out: inFolder(out), validationFraction: 0.2, seed: 1, textKey: 'text' });

const chunksOf = async (split: Split) => {
  const chunks: string[] = [];
  for (let i = 0; i < split.count; i++) chunks.push(Buffer.from(await split.read(i)).toString());
  return chunks;
};

async function contentsOf(name: string) {
  const store = await openStore(inFolder(name));
  const contents = { train: await chunksOf(store.train), validation: await chunksOf(store.validation) };
  await store.close();
  return contents;
}

describe('a store of a prepared folder', () => {
  it('has the chunks, splits and counts of the text itself, and copies no text', async () => {
    const path = await corpus();
    const domain = (paths: string[]) => [textDomain(paths, 64)];
    const own = await build(domain([path]), 'own');
    const shards = await build(domain([await prepared(path)]), 'shards');
    expect(shards.sources!.length).toBeGreaterThan(20);
    expect(await contentsOf('shards')).toEqual(await contentsOf('own'));
    for (const key of ['train', 'validation', 'duplicates'] as const) expect(shards[key]).toEqual(own[key]);
    expect((await stat(inFolder('shards/train.bin'))).size).toBe(0);
    expect(await readFile(inFolder('shards/train.ends'))).toEqual(await readFile(inFolder('own/train.ends')));
  });

  it('can be given all of its text, so that it needs the prepared folder no more', async () => {
    const path = await corpus();
    await build([textDomain([path], 64)], 'own');
    const shards = await prepared(path);
    const { sources, ...manifest } = await build([textDomain([shards], 64)], 'shards');
    expect(sources).toBeDefined();
    await embedText(inFolder('shards'));
    await rm(shards, { recursive: true });
    for (const name of ['train.bin', 'train.ends', 'validation.bin', 'validation.ends'])
      expect(await readFile(inFolder(`shards/${name}`)), name).toEqual(await readFile(inFolder(`own/${name}`)));
    expect((await readdir(inFolder('shards'))).sort()).toEqual((await readdir(inFolder('own'))).sort());
    expect(await contentsOf('shards')).toEqual(await contentsOf('own'));
    expect((await readStoreManifest(inFolder('shards')))!).toEqual(manifest);
    const before = await readFile(inFolder('own/data.json'), 'utf8');
    await embedText(inFolder('own'));
    expect(await readFile(inFolder('own/data.json'), 'utf8')).toBe(before);
  });

  it('gives the same rows, also after a resumption and in a thread that opens it by its paths', async () => {
    const path = await corpus();
    await build([textDomain([path], 64)], 'own');
    await build([textDomain([await prepared(path)], 64)], 'shards');
    const [own, shards] = [await openStore(inFolder('own')), await openStore(inFolder('shards'))];
    const settings = { rowBytes: 128, seed: 3 };
    const expected = await createPacker({ ...settings, split: own.train }).next(60);
    const first = createPacker({ ...settings, split: shards.train });
    const rows = await first.next(25);
    // What is sent to the thread: plain values.
    const split = await openSplit(structuredClone(shards.train.files));
    const resumed = createPacker({ ...settings, split, state: structuredClone(first.state()) });
    expect([...rows, ...(await resumed.next(35))]).toEqual(expected);
    for (const open of [own, shards, split]) await open.close();
  });

  it('has each document once, however many parts it was prepared in', async () => {
    const path = await corpus();
    await build([textDomain([path], 64)], 'own');
    await build([textDomain([await prepared(path, { parts: 3 })], 64)], 'shards');
    const [own, shards] = [await contentsOf('own'), await contentsOf('shards')];
    expect(shards.train.sort()).toEqual(own.train.sort());
    expect(shards.validation.sort()).toEqual(own.validation.sort());
  });

  it('can be mixed with other text and domains, and gives each split a chunk', async () => {
    const path = await corpus(['one document', 'and another']);
    await writeFile(inFolder('more.txt'), 'other text');
    await mkdir(inFolder('images'));
    for (let i = 0; i < 9; i++) await writeFile(inFolder(`images/${i}`), Buffer.of(i, 0, 255));
    const images = await prepared(inFolder('images'), { kind: 'bytes' });
    await rename(images, inFolder('prepared-images'));
    const domains = [
      { ...textDomain([await prepared(path), inFolder('more.txt')], 64), weight: 1 },
      { ...textDomain([inFolder('prepared-images')], 64), name: 'images', kind: 'bytes' as const, weight: 2 },
    ];
    const manifest = await build(domains, 'mixed');
    expect(manifest.domains!.map(({ train, validation }) => train.pieces + validation.pieces)).toEqual([3, 9]);
    expect(manifest.domains!.every(({ train, validation }) => train.pieces > 0 && validation.pieces > 0)).toBe(true);
    const { train, validation } = await contentsOf('mixed');
    expect([...train, ...validation].filter((text) => /^[a-z ]+$/.test(text)).sort()).toEqual([
      'and another',
      'one document',
      'other text',
    ]);
  });

  it('is not opened when a shard is gone or has changed', async () => {
    const out = await prepared(await corpus());
    await build([textDomain([out], 64)], 'shards');
    const shard = join(out, 'part-00000-of-00001/shard-00003');
    const record = await readFile(join(shard, 'byteify-shard.json'), 'utf8');
    await writeFile(join(shard, 'byteify-shard.json'), record.replace('"part": 0', '"part": 1'));
    await expect(openStore(inFolder('shards'))).rejects.toThrow(
      `The shard ${shard} was changed since its text was read.`,
    );
    await rm(shard, { recursive: true });
    await expect(openStore(inFolder('shards'))).rejects.toThrow(`The shard ${shard} is gone since its text was read.`);
  });

  it('is refused when a shard is damaged, which is named', async () => {
    const out = await prepared(await corpus());
    const file = join(out, 'part-00000-of-00001/shard-00001/documents.bin');
    const bytes = await readFile(file);
    bytes[0]! ^= 1;
    await writeFile(file, bytes);
    await expect(build([textDomain([out], 64)], 'shards')).rejects.toThrow(
      /^The shard .*shard-00001 is damaged: documents\.bin does not match its sha256\.$/,
    );
  });

  it('is refused until the folder is merged, and left out of a folder around it', async () => {
    const out = await prepared(await corpus());
    await rm(join(out, 'prepared.json'));
    await expect(build([textDomain([out], 64)], 'shards')).rejects.toThrow(
      `${out} is a prepared folder without prepared.json`,
    );
    await mkdir(inFolder('around'));
    await rename(out, inFolder('around/prepared'));
    await writeFile(inFolder('around/one.txt'), 'a'.repeat(200));
    const { refused } = await build([textDomain([inFolder('around')], 64)], 'store');
    expect(refused).toEqual([
      { path: inFolder('around/prepared'), reason: 'it is a prepared folder that is not complete' },
    ]);
  });

  it('of any bytes is no text', async () => {
    await mkdir(inFolder('images'));
    await writeFile(inFolder('images/a'), Buffer.of(1, 0, 255));
    const out = await prepared(inFolder('images'), { kind: 'bytes' });
    await expect(build([textDomain([out], 64)], 'shards')).rejects.toThrow('it was prepared with --kind bytes');
  });
});

it('whole documents are read from a prepared folder as well', async () => {
  const out = await prepared(await corpus());
  const texts: string[] = [];
  const options = { paths: [out], textKey: 'text', maxBytes: 1e6, onRefused: () => undefined };
  for await (const text of await wholeDocuments(options)) texts.push(Buffer.from(text).toString());
  expect(texts).toEqual([...TEXTS, TEXTS[0]]);
});
