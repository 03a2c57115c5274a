import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import {
  mergePrepared,
  type PrepareOptions,
  prepare,
  preparedDocuments,
  type Segment,
} from '../../src/prepare/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
let number = 0;
const fresh = () => join(folder(), `out-${number++}`);

const PATCHER = { sha256: 'a'.repeat(64), threshold_nats: 1.5, max_patch_bytes: null };

/** A patch of two bytes each, and entropies that tell the bytes. */
const segment: Segment = async (document) => {
  const pairs = Array.from({ length: Math.ceil(document.length / 2) }, (_, i) => Math.min(2, document.length - 2 * i));
  return { entropyNats: Float32Array.from(document, (byte) => byte / 64), patchLengths: [1, ...pairs] };
};

function run(inputs: readonly string[], options: Partial<PrepareOptions> = {}) {
  return prepare({
    ...{ inputs, licences: new Map(), stdin: () => noLines(), hub: {} },
    ...{ out: fresh(), kind: 'text', column: 'text', shardBytes: 1024, part: 0, parts: 1 },
    ...{ identity: { patcher: null, tokenizer: null }, segment: null },
    ...{ onRefused: () => undefined, onMerge: () => undefined },
    ...options,
  });
}

/** A run with patches that is stopped at a document, counted from 0. */
function stoppedRun(path: string, out: string, after: number) {
  const controller = new AbortController();
  let count = 0;
  const stopping: Segment = (document, signal) => {
    if (count++ === after) controller.abort(new Error('stopped'));
    return segment(document, signal);
  };
  const identity = { patcher: PATCHER, tokenizer: null };
  return run([path], { out, segment: stopping, identity, signal: controller.signal });
}

async function* noLines(): AsyncGenerator<Uint8Array> {}

async function* linesOf(texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(`${JSON.stringify({ text })}\n`);
}

async function textsIn(out: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { bytes } of preparedDocuments(out)) texts.push(Buffer.from(bytes).toString());
  return texts;
}

/** A corpus of every form, with documents that are all different. @returns its folder and its texts */
function corpus(sizes: readonly number[]): { path: string; texts: string[] } {
  const path = join(folder(), `corpus-${number++}`);
  mkdirSync(path);
  const texts: string[] = [];
  const text = (length: number) => {
    const made = `${texts.length}:${'é東x'.repeat(Math.ceil(length / 6))}`;
    texts.push(made);
    return made;
  };
  sizes.forEach((count, i) => {
    const own = Array.from({ length: count }, (_, k) => text(((i * 37 + k * 101) % 300) + 1));
    const lines = () => own.map((one) => `${JSON.stringify({ text: one })}\n`).join('');
    if (i % 3 === 0) writeFileSync(join(path, `${i}.jsonl`), lines());
    else if (i % 3 === 1 && count > 0)
      parquetWriteFile({
        filename: join(path, `${i}.parquet`),
        columnData: [{ name: 'text', data: own, type: 'STRING' }],
        rowGroupSize: 7,
      });
    else for (const [k, one] of own.entries()) writeFileSync(join(path, `${i}-${k}.txt`), one);
  });
  return { path, texts };
}

/** The contents of every file below a folder, as one digest each. */
function contentsOf(out: string): Record<string, string> {
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(out.length), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

const shardsOf = (out: string, part = 'part-00000-of-00001') =>
  readdirSync(join(out, part)).filter((name) => name.startsWith('shard-'));

const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: Error) => error.message,
  );

describe('prepare', () => {
  it('has each document once, in the order of the inputs, in shards of bounded size', async () => {
    const { path, texts } = corpus([40, 30, 5]);
    const out = fresh();
    const { prepared } = await run([path], { out });
    expect((await textsIn(out)).sort()).toEqual([...texts].sort());
    expect(prepared).toMatchObject({
      documents: 75,
      bytes: Buffer.byteLength(texts.join('')),
      refused_count: 0,
      patches: null,
    });
    expect(prepared!.shards.length).toBeGreaterThan(5);
    expect(prepared!.shards.every(({ bytes }) => bytes <= 1024)).toBe(true);
    expect(prepared!.inputs.every(({ sha256 }) => sha256 !== null)).toBe(true);
  });

  it('divides the documents among parts: each is in exactly one, however many parts and files there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(25), { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 5 }),
        async (sizes, parts) => {
          const { path, texts } = corpus([1, ...sizes]);
          const out = fresh();
          const order = Array.from({ length: parts }, (_, part) => part).reverse();
          for (const part of order) await run([path], { out, part, parts });
          await mergePrepared(out);
          expect((await textsIn(out)).sort()).toEqual([...texts].sort());
        },
      ),
      { numRuns: 12 },
    );
  });

  it('gives byte-identical folders however often it is stopped, and whichever shards are lost', async () => {
    const { path } = corpus([40, 30, 5]);
    const whole = fresh();
    await run([path], { out: whole, segment, identity: { patcher: PATCHER, tokenizer: null } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(30), { maxLength: 6 }),
        fc.array(fc.nat(20), { maxLength: 4 }),
        async (stops, lost) => {
          const out = fresh();
          for (const after of stops) expect(['stopped', null]).toContain(await messageOf(stoppedRun(path, out, after)));
          for (const index of lost)
            rmSync(join(out, `part-00000-of-00001/shard-${String(index).padStart(5, '0')}`), {
              recursive: true,
              force: true,
            });
          await run([path], { out, segment, identity: { patcher: PATCHER, tokenizer: null } });
          expect(contentsOf(out)).toEqual(contentsOf(whole));
        },
      ),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it('leaves nothing half-written when it is stopped', async () => {
    const { path } = corpus([40]);
    const out = fresh();
    expect(await messageOf(stoppedRun(path, out, 0))).toBe('stopped');
    expect(readdirSync(join(out, 'part-00000-of-00001'))).toEqual([]);
    expect(existsSync(join(out, 'prepared.json'))).toBe(false);
  });

  it('stores entropies and patch lengths per document', async () => {
    const { path } = corpus([40]);
    const out = fresh();
    const { prepared } = await run([path], { out, segment, identity: { patcher: PATCHER, tokenizer: null } });
    const shard = join(out, prepared!.shards[1]!.path);
    const bytes = readFileSync(join(shard, 'documents.bin'));
    const entropies = new Float32Array(Uint8Array.from(readFileSync(join(shard, 'entropies.f32'))).buffer);
    expect(Array.from(entropies)).toEqual(Array.from(bytes, (byte) => byte / 64));
    const patches = new Uint32Array(Uint8Array.from(readFileSync(join(shard, 'patches.u32'))).buffer);
    expect(patches.reduce((sum, length) => sum + length, 0)).toBe(bytes.length + prepared!.shards[1]!.documents);
  });

  it('leaves out what cannot be used, keeps what precedes the damage of a file, and counts it once over all parts', async () => {
    const { path, texts } = corpus([10]);
    writeFileSync(join(path, 'bad.jsonl'), '{"text":"before"}\n{"nope":1}\n{"text":"after"}\n');
    writeFileSync(join(path, 'binary.txt'), Buffer.of(1, 0, 2));
    const out = fresh();
    for (const part of [0, 1]) await run([path], { out, part, parts: 2 });
    expect(await mergePrepared(out)).toMatchObject({ documents: 12, refused_count: 2 });
    expect((await textsIn(out)).sort()).toEqual([...texts, 'before', 'after'].sort());
  });

  it('cuts documents that are longer than a shard between characters, and says so', async () => {
    const path = join(folder(), 'long.txt');
    const text = 'aé東\n'.repeat(1000);
    writeFileSync(path, text);
    const out = fresh();
    expect((await run([path], { out })).prepared).toMatchObject({ documents: 7, cut_documents: 7, bytes: 7000 });
    expect((await textsIn(out)).join('')).toBe(text);
  });

  it('reads files of any bytes as they are', async () => {
    const path = join(folder(), 'any');
    mkdirSync(path);
    writeFileSync(join(path, 'a.bin'), Buffer.of(0, 255, 0, 13));
    writeFileSync(join(path, 'b.bin'), Buffer.of(9));
    const out = fresh();
    await run([path], { out, kind: 'bytes' });
    const found: number[][] = [];
    for await (const { bytes } of preparedDocuments(out)) found.push(Array.from(bytes));
    expect(found).toEqual([[0, 255, 0, 13], [9]]);
  });

  it('reads JSON lines from standard input, each part its own, and knows them again', async () => {
    const texts = Array.from({ length: 60 }, (_, i) => `line ${i} ${'x'.repeat(i)}`);
    const out = fresh();
    for (const [part, own] of [texts.slice(0, 20), texts.slice(20), []].entries())
      await run(['-'], { out, part, parts: 3, stdin: () => linesOf(own) });
    rmSync(join(out, 'part-00001-of-00003/shard-00001'), { recursive: true });
    await run(['-'], { out, part: 1, parts: 3, stdin: () => linesOf(texts.slice(20)) });
    await mergePrepared(out);
    expect(await textsIn(out)).toEqual(texts);
    expect(await messageOf(run(['-'], { out, part: 0, parts: 3, stdin: () => linesOf(texts.slice(20)) }))).toMatch(
      /^Standard input is not the text from which .*shard-00000 was written\.$/,
    );
  });

  it('records licences by input', async () => {
    const { path } = corpus([3, 3]);
    const other = corpus([2]).path;
    const out = fresh();
    const licences = new Map([
      ['', 'cc0-1.0'],
      [other, 'mit'],
    ]);
    const { prepared } = await run([path, other], { out, licences });
    expect(prepared!.licenses).toEqual(['cc0-1.0', 'mit']);
    expect(prepared!.inputs.map(({ license }) => license)).toEqual(['cc0-1.0', 'cc0-1.0', 'mit']);
    expect(await messageOf(run([path], { licences }))).toMatch(
      /^--licence names .*, which is not one of the inputs\.$/,
    );
  });
});

describe('a prepared folder that does not fit', () => {
  const identity = { patcher: PATCHER, tokenizer: 'b'.repeat(64) };

  it.each([
    [
      'patcher (aaaaaaaaaaaa instead of cccccccccccc)',
      { identity: { ...identity, patcher: { ...PATCHER, sha256: 'c'.repeat(64) } } },
    ],
    ['threshold (1.5 instead of 2)', { identity: { ...identity, patcher: { ...PATCHER, threshold_nats: 2 } } }],
    ['tokenizer (bbbbbbbbbbbb instead of none)', { identity: { ...identity, tokenizer: null } }],
    ['--shard-bytes (1024 instead of 2048)', { shardBytes: 2048 }],
    ['--column (text instead of body)', { column: 'body' }],
    ['number of parts (1 instead of 4)', { parts: 4 }],
  ])('is refused with another %s', async (what, options) => {
    const { path } = corpus([3]);
    const out = fresh();
    await run([path], { out, segment, identity });
    const before = contentsOf(out);
    expect(await messageOf(run([path], { out, segment, identity, ...options }))).toBe(
      `${out} was prepared with another ${what}.`,
    );
    expect(contentsOf(out)).toEqual(before);
  });

  it('is refused with other inputs, which are named', async () => {
    const { path } = corpus([3, 2]);
    const out = fresh();
    await run([path], { out });
    const name = `${path.split('/').at(-1)}/0.jsonl`;
    const old = readFileSync(join(path, '0.jsonl'));
    utimesSync(join(path, '0.jsonl'), 1, 1);
    await run([path], { out });
    writeFileSync(join(path, '0.jsonl'), Buffer.from(old).fill('y', 12, 13));
    expect(await messageOf(run([path], { out }))).toBe(`${out} was prepared from other inputs: ${name} was changed.`);
    writeFileSync(join(path, '0.jsonl'), old);
    writeFileSync(join(path, 'z.txt'), 'more');
    expect(await messageOf(run([path], { out }))).toMatch(/z\.txt is new\.$/);
    rmSync(join(path, 'z.txt'));
    rmSync(join(path, '1.parquet'));
    expect(await messageOf(run([path], { out }))).toMatch(/1\.parquet is gone\.$/);
  });

  it('is refused if it has other contents', async () => {
    const { path } = corpus([3]);
    const other = corpus([1]).path;
    expect(await messageOf(run([path], { out: other }))).toBe(`${other} is not empty and is no prepared folder.`);
  });

  it('is refused inside of an input', async () => {
    const { path } = corpus([3]);
    for (const out of [path, join(path, 'out')])
      expect(await messageOf(run([path], { out }))).toBe(
        `--out ${out} is inside of the input ${path}, which it would change.`,
      );
  });

  it('names missing parts', async () => {
    const { path } = corpus([9]);
    const out = fresh();
    await run([path], { out, part: 1, parts: 4 });
    expect(await messageOf(mergePrepared(out))).toBe(`${out} lacks parts 0, 2, 3 of 4, counted from 0.`);
    await expect(textsIn(out)).rejects.toThrow('is no complete prepared folder');
  });

  it('names a damaged shard', async () => {
    const { path } = corpus([40]);
    const out = fresh();
    await run([path], { out, segment, identity });
    const shard = join(out, 'part-00000-of-00001', shardsOf(out)[2]!);
    const file = join(shard, 'entropies.f32');
    const bytes = readFileSync(file);
    bytes[5]! ^= 1;
    writeFileSync(file, bytes);
    expect(await messageOf(mergePrepared(out))).toBe(
      `The shard ${shard} is damaged: entropies.f32 does not match its sha256.`,
    );
    rmSync(file);
    expect(await messageOf(run([path], { out, segment, identity }))).toBe(
      `The shard ${shard} is damaged: entropies.f32 is missing.`,
    );
    rmSync(shard, { recursive: true });
    expect(await messageOf(mergePrepared(out))).toBe(`The shard ${shard} is damaged: byteify-shard.json is missing.`);
    await run([path], { out, segment, identity });
    await mergePrepared(out);
  });

  it('refuses shards and parts of another folder', async () => {
    const [one, other] = [corpus([40]), corpus([41])];
    const [out, from] = [fresh(), fresh()];
    await run([one.path], { out });
    await run([other.path], { out: from });
    rmSync(join(out, 'part-00000-of-00001'), { recursive: true });
    cpSync(join(from, 'part-00000-of-00001'), join(out, 'part-00000-of-00001'), { recursive: true });
    expect(await messageOf(mergePrepared(out))).toMatch(/was prepared from other inputs or options\.$/);
    expect(await messageOf(run([one.path], { out }))).toMatch(
      /does not follow the one before it, or is of another prepared folder\.$/,
    );
  });
});
