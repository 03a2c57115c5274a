import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bltTensors, parseBltConfig } from '../../src/blt/index.js';
import { OUTPUT_RECORD } from '../../src/conversion/index.js';
import { exportTransformers } from '../../src/export/index.js';
import { cardFromManifest } from '../../src/release/index.js';
import {
  fromFloat32,
  openCheckpoint,
  openSafetensorsFile,
  toFloat32,
  writeCheckpoint,
} from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const golden = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));
const folder = temporaryFolder();
const card = cardFromManifest(null, { name: 'tiny' });
const readJson = async (...path: string[]) =>
  JSON.parse(await readFile(join(...path), 'utf8')) as Record<string, unknown>;

async function exportGolden(options: Partial<Parameters<typeof exportTransformers>[0]> = {}) {
  const out = join(folder(), 'blt');
  return exportTransformers({ from: golden, out, dtype: 'float32', card, ...options });
}

describe('exportTransformers', () => {
  it('writes the layout that transformers loads', async () => {
    const report = await exportGolden();
    expect((await readdir(report.folder)).sort()).toEqual([
      OUTPUT_RECORD,
      'README.md',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(await readJson(report.folder, 'generation_config.json')).toEqual({
      bos_token_id: 1,
      eos_token_id: 2,
      pad_token_id: 0,
      use_cache: false,
    });
    expect(await readJson(report.folder, 'config.json')).toMatchObject({
      architectures: ['BltForCausalLM'],
      model_type: 'blt',
      use_cache: false,
      dtype: 'float32',
    });
    expect(await readFile(join(report.folder, 'README.md'), 'utf8')).toMatch(/^---\nlicense: unknown\n/);
  });

  it('keeps the model: the config parses to the same sizes, and float32 weights have the same bytes', async () => {
    const { folder: out, tensors, parameters, weightBytes } = await exportGolden();
    const config = parseBltConfig(await readJson(golden, 'config.json'), 'golden');
    expect(parseBltConfig(await readJson(out, 'config.json'), 'export')).toEqual(config);
    const [before, after] = [await openCheckpoint(golden), await openSafetensorsFile(join(out, 'model.safetensors'))];
    expect([...after.tensors.keys()].sort()).toEqual([...before.tensors.keys()].sort());
    for (const name of before.tensors.keys()) {
      expect(Buffer.compare(await after.read(name), await before.read(name)), name).toBe(0);
    }
    expect(after.metadata).toEqual({ format: 'pt' });
    expect(tensors).toBe(bltTensors(config).length);
    expect(weightBytes).toBe(4 * parameters);
    await Promise.all([before.close(), after.close()]);
  });

  it('rounds every weight to bfloat16, including the patcher’s, and writes shards with an index', async () => {
    const report = await exportGolden({ dtype: 'bfloat16', maxShardBytes: 100_000 });
    expect(report.weightFiles.length).toBeGreaterThan(2);
    expect(report.weightFiles[0]).toBe(
      `model-00001-of-${String(report.weightFiles.length).padStart(5, '0')}.safetensors`,
    );
    const index = await readJson(report.folder, 'model.safetensors.index.json');
    expect(index.metadata).toMatchObject({ total_size: report.weightBytes });
    const [before, after] = [await openCheckpoint(golden), await openCheckpoint(report.folder)];
    for (const [name, { dtype }] of after.tensors) {
      expect(dtype, name).toBe('BF16');
      const rounded = fromFloat32(toFloat32(await before.read(name), 'F32'), 'BF16');
      expect(Buffer.compare(await after.read(name), rounded), name).toBe(0);
    }
    await Promise.all([before.close(), after.close()]);
  });

  it('reports progress', async () => {
    const events: { doneBytes: number; totalBytes: number }[] = [];
    const report = await exportGolden({ onProgress: (event) => events.push(event) });
    expect(events).toHaveLength(report.tensors);
    expect(events.at(-1)).toMatchObject({ doneBytes: report.weightBytes, totalBytes: report.weightBytes });
  });

  it('replaces an earlier export, but not if it is interrupted', async () => {
    const { folder: out } = await exportGolden();
    await expect(exportGolden({ signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    expect(await readdir(folder())).toEqual(['blt']);
    await exportGolden({ dtype: 'bfloat16' });
    expect(await readJson(out, 'config.json')).toMatchObject({ dtype: 'bfloat16' });
  });

  it('replaces nothing else, unless the folder belongs to a stage', async () => {
    const { folder: out } = await exportGolden();
    await writeFile(join(out, 'notes.txt'), '');
    await expect(exportGolden()).rejects.toThrow('is not empty');
    await expect(exportGolden({ from: out })).rejects.toThrow('is the input');
    expect(await readdir(out)).toContain('notes.txt');
    await exportGolden({ ownsOut: true });
    expect(await readdir(out)).not.toContain('notes.txt');
    expect(await readdir(out)).not.toContain(OUTPUT_RECORD);
  });
});

describe('a checkpoint that does not match its config', () => {
  async function broken(change: (infos: Map<string, number[]>) => void): Promise<string> {
    const reader = await openCheckpoint(golden);
    const infos = new Map([...reader.tensors].map(([name, { shape }]) => [name, [...shape]]));
    await reader.close();
    change(infos);
    const from = join(folder(), 'from');
    await mkdir(from);
    await copyFile(join(golden, 'config.json'), join(from, 'config.json'));
    const tensors = [...infos].map(([name, shape]) => ({ name, shape, dtype: 'F32' as const }));
    await writeCheckpoint(from, tensors, ({ shape }) => new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)));
    return from;
  }

  it.each([
    ['lacks lm_head.weight', (infos: Map<string, number[]>) => infos.delete('lm_head.weight')],
    ['contains extra.weight', (infos: Map<string, number[]>) => infos.set('extra.weight', [1])],
    [
      'lm_head.weight is [32, 260], not [260, 32]',
      (infos: Map<string, number[]>) => infos.set('lm_head.weight', [32, 260]),
    ],
  ])('is refused by name, and nothing is written: %s', async (message, change) => {
    const from = await broken(change);
    await expect(exportGolden({ from })).rejects.toThrow(message);
    expect(await readdir(folder())).toEqual(['from']);
  });

  it('is refused if the config is not JSON, or missing', async () => {
    const from = join(folder(), 'from');
    await mkdir(from);
    await expect(exportGolden({ from })).rejects.toThrow('contains no config.json');
    await writeFile(join(from, 'config.json'), '{');
    await expect(exportGolden({ from })).rejects.toThrow(`${join(from, 'config.json')} is not JSON: `);
  });
});
