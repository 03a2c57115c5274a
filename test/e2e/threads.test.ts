import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, parseBltConfig } from '../../src/blt/index.js';
import { buildStore, openStore, PACKER_START, type SplitFiles, textDomain } from '../../src/data/index.js';
import { ByteifyError } from '../../src/errors.js';
import { type ByteBatch, createPreparer, type PreparerSettings } from '../../src/finetune/batches/batch-preparer.js';
import { type BatchSource, createBatchSource } from '../../src/finetune/batches/batch-source.js';
import { startPreparer } from '../../src/finetune/batches/open-preparer.js';
import type { StepBatch } from '../../src/finetune/batches/step-batch.js';
import type { PatcherOutput } from '../../src/patching/index.js';
import { goldenPath } from '../support/golden.js';
import { NEXT_BYTE_BATCHES, patchCapacity } from '../support/training.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-threads-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const WORKER = new URL('../../dist/finetune/batches/batch-worker.js', import.meta.url);
const inThread = (settings: PreparerSettings) => startPreparer(settings, WORKER);

let config: BltConfig;
let files: SplitFiles;

/** Texts of 22 to 82 bytes, each mostly of one letter: a row of 128 contains several, and the rows have few or many patches. */
async function makeStore(name: string): Promise<SplitFiles> {
  const [texts, out] = [join(work, `${name}-texts`), join(work, name)];
  await mkdir(texts);
  for (let i = 0; i < 60; i++) {
    const letter = String.fromCharCode(97 + ((i * 7) % 26));
    await writeFile(join(texts, `${i}.txt`), `${letter.repeat(20 + ((i * 37) % 60))} ${i}`);
  }
  await buildStore({ domains: [textDomain([texts], 256)], out, validationFraction: 0.1, seed: 1, textKey: 'text' });
  const store = await openStore(out);
  await store.close();
  return store.train.files;
}

beforeAll(async () => {
  const json = JSON.parse(await readFile(goldenPath('plain/blt/config.json'), 'utf8'));
  config = { ...parseBltConfig(json, 'config.json'), patching: { threshold: 0.6, maxPatchLength: 7 } };
  files = await makeStore('store');
});

/** A fake patcher: entropies between 0 and 1 by the id at each position, after a delay. */
async function somePatcher({ ids }: ByteBatch): Promise<PatcherOutput> {
  await new Promise((resolve) => setTimeout(resolve, 1));
  const of = (salt: number) => Float32Array.from(ids, (id) => ((id * 31 + salt) % 101) / 101);
  return { entropies: of(0), endProbabilities: of(50) };
}

type Changes = Partial<Parameters<typeof createBatchSource>[0]>;

const packed = () => ({ kind: 'packed' as const, files, rowBytes: 128, seed: 5, state: PACKER_START, repeat: false });

const optionsOf = (changes: Changes) => ({
  rows: packed(),
  ...NEXT_BYTE_BATCHES,
  config,
  rowsPerStep: 5,
  microBatchRows: 2,
  runPatcher: somePatcher,
  capacity: patchCapacity(0),
  ...changes,
});

async function take(source: BatchSource, count: number): Promise<StepBatch[]> {
  const taken: StepBatch[] = [];
  try {
    while (taken.length < count) taken.push(await source.next());
  } finally {
    await source.close();
  }
  return taken;
}

const threads = () => process.getActiveResourcesInfo().filter((name) => /worker|messageport/i.test(name)).length;

describe('batches prepared in a separate thread', () => {
  it.each<[string, Changes]>([
    ['of a BLT', {}],
    ['of a BLT whose table is frozen', { trainsTable: false }],
    ['of a byte language model', { patched: false }],
  ])('equal those prepared in the main thread bit for bit: %s', async (_what, changes) => {
    const here = await take(createBatchSource(optionsOf(changes), createPreparer), 8);
    const there = await take(createBatchSource(optionsOf(changes), inThread), 8);
    expect(there).toStrictEqual(here);
    const { batches, packer, bytes } = here.at(-1)!;
    expect(batches.map(({ ids }) => ids!.length)).toEqual([256, 256, 256]);
    expect(Math.max(...batches[0]!.documents!), 'rows that hold several documents').toBeGreaterThan(1);
    expect(new Set(here.map((batch) => JSON.stringify(batch.packer))).size).toBe(8);
    expect([packer.place > 0, bytes > 500]).toEqual([true, true]);
  });

  it('continue from any batch as if the run had not stopped, whatever was prepared ahead', async () => {
    const all = await take(createBatchSource(optionsOf({}), inThread), 6);
    expect(new Set(all.map(({ capacity }) => capacity.patches)).size, 'the capacity grows on the way').toBeGreaterThan(
      1,
    );
    for (const [i, { packer, capacity }] of all.slice(0, -1).entries()) {
      const rows = { ...packed(), state: packer };
      const rest = await take(createBatchSource(optionsOf({ rows, capacity }), inThread), all.length - 1 - i);
      expect(rest).toStrictEqual(all.slice(i + 1));
    }
  });

  it('are prepared ahead, and no thread remains when they are stopped', async () => {
    let asked = 0;
    let running = 0;
    const runPatcher = async (batch: ByteBatch) => {
      asked++;
      running++;
      await new Promise((resolve) => setTimeout(resolve, 30));
      running--;
      return await somePatcher(batch);
    };
    const before = threads();
    const source = createBatchSource(optionsOf({ runPatcher }), inThread);
    await source.next();
    expect(threads()).toBeGreaterThan(before);
    while (asked < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    await source.close();
    expect([asked, running]).toEqual([4, 0]);
    expect(threads()).toBe(before);
    await expect(source.next()).rejects.toThrow(/closed/);
  });

  it('need no thread if none is requested', async () => {
    const opened: unknown[] = [];
    const source = createBatchSource(optionsOf({}), (settings) => {
      opened.push(settings);
      return inThread(settings);
    });
    await source.close();
    expect(opened).toEqual([]);
  });
});

describe('an error in the thread', () => {
  const failure = (source: BatchSource) =>
    take(source, 1).then(
      () => null,
      (error: unknown) => error as ByteifyError & NodeJS.ErrnoException,
    );

  it('keeps its message, hint and exit code', async () => {
    const short = await makeStore('short');
    await truncate(short.bytes, 1);
    const rows = { ...packed(), files: short };
    const here = await failure(createBatchSource(optionsOf({ rows }), createPreparer));
    const there = await failure(createBatchSource(optionsOf({ rows }), inThread));
    expect(here).toBeInstanceOf(ByteifyError);
    expect(there).toBeInstanceOf(ByteifyError);
    const told = ({ message, hint, exitCode }: ByteifyError) => ({ message, hint, exitCode });
    expect(told(there!)).toEqual(told(here!));
    expect(there!.hint).toMatch(/Remove the data folder/);
    expect(there!.stack).toMatch(/store\.js/);
  });

  it('keeps the details of a system error', async () => {
    const rows = { ...packed(), files: { bytes: join(work, 'none.bin'), ends: join(work, 'none.ends') } };
    expect(await failure(createBatchSource(optionsOf({ rows }), inThread))).toMatchObject({
      message: expect.stringContaining(rows.files.ends),
      cause: { code: 'ENOENT', path: rows.files.ends },
    });
  });

  it('is thrown by every later call, while closing still works', async () => {
    const rows = { ...packed(), files: { bytes: join(work, 'none.bin'), ends: join(work, 'none.ends') } };
    const source = createBatchSource(optionsOf({ rows }), inThread);
    for (let i = 0; i < 5; i++) await expect(source.next()).rejects.toThrow('none.ends');
    await source.close();
  });

  it('is one sentence if the thread itself dies', async () => {
    const dying = join(work, 'dying.mjs');
    await writeFile(dying, 'setTimeout(() => { throw new Error("no reason"); }, 20);\n');
    const open = (settings: PreparerSettings) => startPreparer(settings, pathToFileURL(dying));
    const error = await failure(createBatchSource(optionsOf({}), open));
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error!.message).toBe('The thread that prepares batches failed: no reason');
  });

  it('ends the source, as a failing patcher in the main thread does', async () => {
    const runPatcher = async () => {
      throw new ByteifyError('The patcher failed.', { exitCode: 2 });
    };
    const before = threads();
    const source = createBatchSource(optionsOf({ runPatcher }), inThread);
    await expect(source.next()).rejects.toThrow('The patcher failed.');
    await expect(source.next()).rejects.toThrow('The patcher failed.');
    await source.close();
    expect(threads()).toBe(before);
  });
});
