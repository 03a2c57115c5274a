import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors, readBltConfig } from '../../src/blt/index.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { type Finished, runCli } from '../support/cli.js';
import { tinyConversion } from '../support/conversions.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-adapt-'));
const out = join(work, 'adapted');
const text = join(work, 'text');
const SETS = [
  ...['patcher.steps=2', 'patcher.batch_bytes=1024', 'patcher.sequence_length=128', 'patcher.warmup_steps=0'],
  ...['stages.0.steps=2', 'stages.0.batch_bytes=512', 'stages.0.sequence_length=128', 'stages.0.warmup_steps=0'],
  ...['data.max_document_bytes=256', 'evaluate.validation_bytes=1024', 'hardware.mode=graph', 'export.dtype=float32'],
].flatMap((set) => ['--set', set]);

let model: string;
let adapted: Finished;

beforeAll(async () => {
  model = (await tinyConversion()).folder;
  await mkdir(text);
  for (let i = 0; i < 30; i++)
    await writeFile(join(text, `${i}.txt`), `Съешь ещё ${i} этих мягких французских булок, да выпей чаю.\n`.repeat(4));
  adapted = await runCli(['adapt', model, '--data', text, '--out', out, '--token-baseline', ...SETS, '--json']);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** The tensors of a model by name. */
async function tensorsOf(folder: string): Promise<Map<string, Buffer>> {
  const reader = await openCheckpoint(folder);
  const found = new Map<string, Buffer>();
  for (const name of reader.tensors.keys()) found.set(name, Buffer.from(await reader.read(name)));
  await reader.close();
  return found;
}

describe('an adaptation', () => {
  it('begins with the model, trains patcher, encoder and decoder, and leaves the rest alone', async () => {
    expect(adapted.stderr).not.toMatch(/error/i);
    expect(adapted.code).toBe(0);
    const [before, after] = [await tensorsOf(join(model, 'blt')), await tensorsOf(join(out, 'blt'))];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    const config = await readBltConfig(join(out, 'blt'));
    const parts = (changed: boolean) =>
      new Set(
        bltTensors(config)
          .filter(({ name }) => before.get(name)!.equals(after.get(name)!) !== changed)
          .map(({ part }) => part),
      );
    expect([...parts(true)].sort()).toEqual(['decoder', 'encoder', 'head', 'patcher']);
    expect(parts(false).has('global') && parts(false).has('hash')).toBe(true);
  });

  it('is a conversion that knows what it was made from, and can be measured beside the source', async () => {
    const manifest = JSON.parse(await readFile(join(out, 'byteify.json'), 'utf8'));
    expect(manifest.adapted_from).toEqual({ model, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(manifest.model).toBe('builtin:tiny-llama');
    expect(manifest.stages.import.files.length).toBeGreaterThan(0);
    expect(manifest.stages.finetune.metrics.source_bits_per_byte).toBeGreaterThan(0);
    const card = await readFile(join(out, 'blt', 'README.md'), 'utf8');
    expect(card).toContain('It was adapted from the BLT `tiny`');
    expect(card).toContain('byteify adapt BLT --recipe recipe.yaml');
    const provenance = JSON.parse(await readFile(join(out, 'blt', 'provenance.json'), 'utf8'));
    expect(provenance.adapted_from).toMatchObject({ model: 'tiny' });
    const measured = await runCli(['evaluate', out, '--against', 'source', '--max-bytes', '2K', '--json']);
    expect(measured.code).toBe(0);
    expect(JSON.parse(measured.stdout).suites[0].source.name).toBe('source');
  });

  it('has the source beside it, trained with its tokens for as many operations', async () => {
    const { token_baseline: baseline } = JSON.parse(adapted.stdout);
    const { patcher, finetune } = JSON.parse(await readFile(join(out, 'byteify.json'), 'utf8')).stages;
    const spent = patcher.metrics.patcher_flops + finetune.metrics.flops;
    // At least one whole step.
    expect(baseline.flops).toBeGreaterThan(0.3 * spent);
    expect(baseline.bytes_per_token).toBeGreaterThan(0.5);
    const measured = await runCli(['evaluate', out, '--against', baseline.folder, '--max-bytes', '2K', '--json']);
    expect(measured.code).toBe(0);
    const [{ groups }] = JSON.parse(measured.stdout).suites;
    expect(groups[0].metrics.bits_per_byte.source.value).toBeGreaterThan(0);
  });

  it('continues where it stopped', async () => {
    const again = await runCli(['adapt', model, '--data', text, '--out', out, ...SETS]);
    expect(again.code).toBe(0);
    expect(again.stderr.match(/already there/g)!.length).toBe(5);
  });

  it('of a plain checkpoint works without a source', async () => {
    const plain = join(work, 'plain');
    const args = ['adapt', join(model, 'blt'), '--data', text, '--out', plain, ...SETS, '--json'];
    const there = await runCli(args);
    expect(there.stderr).not.toMatch(/error/i);
    expect(JSON.parse(there.stdout)).toMatchObject({ source_bits_per_byte: null, bits_per_byte: expect.any(Number) });
    const { code, stderr } = await runCli([
      ...args.map((one) => (one === plain ? `${plain}-2` : one)),
      '--token-baseline',
    ]);
    expect(stderr).not.toContain('Training');
    expect([code, stderr]).toEqual([2, expect.stringContaining('so its source is not known.')]);
  });
});

describe('an adaptation is refused', () => {
  const refused = async (...args: string[]) => {
    const { code, stderr } = await runCli(['adapt', ...args, '--data', text]);
    expect(code).toBe(2);
    return stderr;
  };

  it('if the recipe has sizes, or would compute what was learnt anew', async () => {
    const other = join(work, 'refused');
    expect(await refused(model, '--out', other, '--set', 'patcher.layers=3')).toContain(
      'The recipe sets patcher.layers, but a model that is adapted keeps its sizes.',
    );
    const closed = ['--set', 'stages=[{kind: closed-form}]'];
    expect(await refused(model, '--out', other, ...closed)).toContain(
      'A closed-form stage would replace what the model has learnt.',
    );
  });

  it('if a stage would learn from the source, of which the layers have changed', async () => {
    const learns = ['--set', 'stages.0.losses={prefix_kl: 1}'];
    expect(await refused(model, '--out', join(work, 'refused'), ...learns)).toContain(
      "A stage of kind end-to-end would learn from the source's layers, and the model's are no longer those.",
    );
  });

  it('if it would replace the model', async () => {
    for (const from of [out, join(out, 'blt')])
      expect(await refused(from, '--out', out, '--recipe', 'adapt')).toContain(
        `is in ${out}, which the adaptation would replace.`,
      );
  });

  it('if the model has changed since', async () => {
    const copy = join(work, 'copy');
    await cp(join(model, 'blt'), copy, { recursive: true });
    const other = join(work, 'changed');
    await runCli(['adapt', copy, '--data', text, '--out', other, ...SETS, '--set', 'stages.0.steps=1']);
    const config = join(copy, 'config.json');
    await writeFile(config, `${await readFile(config, 'utf8')}\n`);
    expect(await refused(copy, '--out', other)).toMatch(/The model has changed since the stage "remap" began/);
  });

  it('if the model is not finished, or is none', async () => {
    const unfinished = join(work, 'unfinished');
    await runCli(['import', 'builtin:tiny-llama', '--out', unfinished]);
    await runCli(['remap', unfinished]);
    expect(await refused(unfinished, '--out', join(work, 'none'))).toMatch(
      /The conversion in .*unfinished has not been trained to its end\./,
    );
    expect(await refused(join(model, 'source'), '--out', join(work, 'none'))).toMatch(
      /source is not a BLT: its model_type is "llama"\./,
    );
    expect(await refused(work, '--out', join(work, 'none'))).toMatch(/contains no byteify.json and no config.json/);
  });
});
