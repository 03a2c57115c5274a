import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { preparedDocuments } from '../../src/prepare/index.js';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const TEXTS = ['The latent global transformer reads patches.', 'größer, 東京タワー'.repeat(90), 'three'];
const folder = temporaryFolder();
const inFolder = (name: string) => join(folder(), name);

function input(): string {
  const path = inFolder('in.jsonl');
  writeFileSync(path, TEXTS.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  return path;
}

async function json(...args: string[]) {
  const { code, stdout, stderr } = await commandLine(...args, '--json');
  expect([code, stderr]).toEqual([0, stderr]);
  return JSON.parse(stdout);
}

describe('byteify prepare', () => {
  it('prints one JSON document, and stores the patches and entropies that `byteify patch` prints', async () => {
    const out = inFolder('out');
    const document = await json('prepare', input(), '--out', out, '--patcher', BLT, '--licence', 'mit');
    const bytes = Buffer.byteLength(TEXTS.join(''));
    expect(document).toMatchObject({
      ...{ folder: out, complete: true, documents: 3, bytes, refused_count: 0, cut_documents: 0 },
      ...{ shards: 1, parts: 1, licenses: ['mit'], bytes_per_patch: bytes / document.patches },
    });
    let at = 0;
    for await (const { bytes, cut } of preparedDocuments(out, { patcher: BLT })) {
      expect(Buffer.from(bytes).toString()).toBe(TEXTS[at]);
      writeFileSync(inFolder('text'), TEXTS[at++]!);
      const { patch_lengths, entropy_nats } = await json('patch', BLT, inFolder('text'));
      expect(Array.from(cut!.patchLengths)).toEqual(patch_lengths);
      expect(Array.from(cut!.entropyNats)).toEqual(entropy_nats.map(Math.fround));
    }
    expect(at).toBe(3);
  });

  it('does one part at a time, and completes the folder with --merge', async () => {
    const out = inFolder('out');
    const part = await json('prepare', input(), '--out', out, '--shard', '1/2');
    expect(part).toMatchObject({ complete: false, part: 1, parts: 2, documents: 1, shards: 1, written_shards: 1 });
    expect(await commandLine('prepare', '--merge', '--out', out)).toMatchObject(wrongUsage('lacks part 0 of 2'));
    await json('prepare', input(), '--out', out, '--shard', '0/2');
    expect(await json('prepare', '--merge', '--out', out)).toMatchObject({ complete: true, documents: 3, parts: 2 });
  });

  it('refuses patches of another patcher, threshold or none, and reads the text alone in any case', async () => {
    const out = inFolder('out');
    await json('prepare', input(), '--out', out, '--patcher', BLT);
    const first = (patcher?: string) => preparedDocuments(out, patcher === undefined ? {} : { patcher }).next();
    const other = inFolder('other');
    cpSync(BLT, other, { recursive: true });
    const config = JSON.parse(readFileSync(join(other, 'config.json'), 'utf8'));
    writeFileSync(join(other, 'config.json'), JSON.stringify({ ...config, patching_threshold: 3.5 }));
    await expect(first(other)).rejects.toThrow(`${out} was prepared with another threshold than that of ${other}.`);
    expect(await commandLine('prepare', input(), '--out', out, '--patcher', other)).toMatchObject(
      wrongUsage('was prepared with another threshold'),
    );
    const weights = join(other, 'model.safetensors');
    const bytes = readFileSync(weights);
    bytes[patcherByte(bytes)]! ^= 1;
    writeFileSync(weights, bytes);
    await expect(first(other)).rejects.toThrow(`${out} was prepared with another patcher than that of ${other}.`);
    expect((await first()).value).toMatchObject({ bytes: new TextEncoder().encode(TEXTS[0]), cut: null });
    const plain = inFolder('plain');
    await json('prepare', input(), '--out', plain);
    await expect(preparedDocuments(plain, { patcher: BLT }).next()).rejects.toThrow('was prepared without a patcher');
  });

  it('names wrong usage', async () => {
    const out = inFolder('out');
    mkdirSync(out);
    expect(await commandLine('prepare', '--out', out)).toMatchObject(wrongUsage('There is nothing to prepare'));
    expect(await commandLine('prepare', input())).toMatchObject(wrongUsage('--out'));
    for (const part of ['2/2', '1', '-1/2', '0/0', '0/200000'])
      expect(await commandLine('prepare', input(), '--out', out, `--shard=${part}`)).toMatchObject(
        wrongUsage('counted from 0'),
      );
    expect(await commandLine('prepare', input(), '--merge', '--out', out)).toMatchObject(wrongUsage('takes no inputs'));
    expect(await commandLine('prepare', '--merge', '--out', out)).toMatchObject(wrongUsage('is no prepared folder'));
    expect(await commandLine('prepare', '-', input(), '--out', out)).toMatchObject(wrongUsage('Standard input (-)'));
    expect(await commandLine('prepare', input(), '--out', out, '--shard-bytes', '10')).toMatchObject(
      wrongUsage('at least 1024 bytes'),
    );
    expect(await commandLine('prepare', inFolder('missing'), '--out', out)).toMatchObject(wrongUsage('does not exist'));
    expect(await commandLine('prepare', 'hub:datasets/x', '--out', out)).toMatchObject(
      wrongUsage('is not the id of a dataset'),
    );
  });
});

/** The offset in a safetensors file of a byte of the patcher's embeddings. */
function patcherByte(file: Buffer): number {
  const length = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  return 8 + length + header['model.patcher.embed_tokens.weight'].data_offsets[0];
}
