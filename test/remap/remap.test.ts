import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltConfigFor, bltTensors, deriveLocalSizes, inverseFrequencies, parseBltConfig } from '../../src/blt/index.js';
import { halfOrder, interleavedOrder, type LlamaSource, openLlama, reorderRows } from '../../src/llama/index.js';
import { type RemapReport, remap, restoreLlamaLayers, toBltName, toLlamaName } from '../../src/remap/index.js';
import {
  type Checkpoint,
  fromFloat32,
  openCheckpoint,
  toFloat32,
  writeCheckpoint,
} from '../../src/safetensors/index.js';
import { ropeFreqs, sampleLlamaGguf } from '../llama/samples.js';
import { goldenPath } from '../support/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-remap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configOf = (source: LlamaSource) => bltConfigFor(source.config, deriveLocalSizes(source.config));

async function remapGolden(from: string, out: string, options: { seed?: number; dtype?: 'source' | 'bfloat16' } = {}) {
  const source = await openLlama(from);
  const report = await remap({
    source,
    config: configOf(source),
    out,
    seed: options.seed ?? 1,
    dtype: options.dtype ?? 'source',
  });
  return { source, report, reader: await openCheckpoint(out) };
}

describe('the rows of q and k', () => {
  it('are reordered from halves to neighbours within each head', () => {
    expect([...interleavedOrder(8, 4)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect([...interleavedOrder(6, 6)]).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('are restored by the inverse order, with unchanged bytes', () => {
    const rows = Uint8Array.from({ length: 32 * 6 }, (_, i) => i);
    expect(reorderRows(reorderRows(rows, interleavedOrder(32, 16)), halfOrder(32, 16))).toEqual(rows);
  });

  it('have the same scores in either layout after rotation', () => {
    // q.k after rotating halves at positions m, n equals q'.k' after rotating neighbours, for the permuted rows
    const [headDim, m, n] = [8, 5, 2];
    const frequencies = inverseFrequencies({ type: 'default', theta: 100 }, headDim);
    const q = Float64Array.from({ length: headDim }, (_, i) => Math.sin(i + 1));
    const k = Float64Array.from({ length: headDim }, (_, i) => Math.cos(2 * i));
    const turn = (x: Float64Array, position: number, pair: (j: number) => [number, number]) => {
      const out = new Float64Array(headDim);
      frequencies.forEach((frequency, j) => {
        const [a, b] = pair(j);
        const [cos, sin] = [Math.cos(position * frequency), Math.sin(position * frequency)];
        out[a] = x[a]! * cos - x[b]! * sin;
        out[b] = x[b]! * cos + x[a]! * sin;
      });
      return out;
    };
    const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
    const permuted = (x: Float64Array) => Float64Array.from(interleavedOrder(headDim, headDim), (row) => x[row]!);
    const halves = (j: number): [number, number] => [j, j + headDim / 2];
    const neighbours = (j: number): [number, number] => [2 * j, 2 * j + 1];
    const inHalves = dot(turn(q, m, halves), turn(k, n, halves));
    const inNeighbours = dot(turn(permuted(q), m, neighbours), turn(permuted(k), n, neighbours));
    expect(inNeighbours).toBeCloseTo(inHalves, 12);
  });
});

describe('the mapping', () => {
  it('is the same in both directions', () => {
    const name = 'model.layers.17.self_attn.k_proj.weight';
    const there = toBltName(name)!;
    expect(there).toEqual({
      name: 'model.global_transformer.layers.17.self_attn.k_proj.weight',
      transform: 'interleave',
    });
    expect(toLlamaName(there.name)).toEqual({ name, transform: 'interleave' });
    expect(toBltName('model.norm.weight')).toBeNull();
    expect(toLlamaName('model.patcher.layers.0.self_attn.k_proj.weight')).toBeNull();
  });
});

/**
 * Deviations of blt-format 3.1 around a Llama 64 wide: fan_in^-0.5, of embeddings width^-0.5. The local parts are 32 wide with feed-forward
 * networks of 96, the patcher 128 with 352. The first matching pattern applies.
 */
const STDS: readonly [RegExp, number][] = [
  [/norm\.weight$/, 0],
  [/^model\.patcher\..*down_proj/, 0.0533002],
  [/^model\.patcher\./, 0.0883883],
  [/down_proj/, 0.1020621],
  [/^model\.local_decoder\.patch_embedding_projection/, 0.125],
  [/^(model\.local_|model\.encoder_hash|lm_head)/, 0.1767767],
];

describe('a remapped Llama', () => {
  const out = join(folder, 'blt');
  let result: { source: LlamaSource; report: RemapReport; reader: Checkpoint };
  beforeAll(async () => {
    result = await remapGolden(goldenPath('plain/llama'), out);
  });
  afterAll(async () => {
    await result.source.close();
    await result.reader.close();
  });

  it('has an origin for each target tensor, and a use or a reason for each source tensor', async () => {
    const { source, report } = result;
    expect(JSON.parse(await readFile(join(out, 'remap-report.json'), 'utf8'))).toEqual(report);
    expect(report.tensors.map(({ name }) => name)).toEqual(bltTensors(configOf(source)).map(({ name }) => name));
    const used = report.tensors.flatMap(({ from }) => (from === undefined ? [] : [from]));
    const dropped = report.dropped.map(({ name }) => name);
    expect([...used, ...dropped].sort()).toEqual([...source.reader.tensors.keys()].sort());
    expect(new Set(used).size).toBe(used.length);
    expect(report.dropped.every(({ reason }) => reason.length > 10)).toBe(true);
    expect(dropped).toEqual(expect.arrayContaining(['model.embed_tokens.weight', 'model.norm.weight']));
  });

  it('keeps the bytes of copied tensors and reorders whole rows of permuted ones', async () => {
    const { source, report, reader } = result;
    const headDim = source.config.hiddenSize / source.config.heads;
    for (const { name, origin, from, shape } of report.tensors) {
      if (from === undefined) continue;
      const [before, after] = [await source.reader.read(from), await reader.read(name)];
      expect(after, name).toEqual(
        origin === 'copied' ? before : reorderRows(before, interleavedOrder(shape[0]!, headDim)),
      );
    }
    expect(report.tensors.filter(({ origin }) => origin === 'permuted').length).toBe(2 * source.config.layers);
  });

  it('can be restored to the Llama’s own bytes', async () => {
    const { source, reader } = result;
    let tensors = 0;
    for await (const { name, bytes } of restoreLlamaLayers(reader, source.config.hiddenSize / source.config.heads)) {
      expect(bytes, name).toEqual(await source.reader.read(name));
      tensors++;
    }
    expect(tensors).toBe(9 * source.config.layers);
  });

  it('has a config that describes it', async () => {
    const config = parseBltConfig(JSON.parse(await readFile(join(out, 'config.json'), 'utf8')), 'config.json');
    expect(config).toEqual(configOf(result.source));
    for (const { name, shape } of bltTensors(config))
      expect(result.reader.tensors.get(name)?.shape, name).toEqual(shape);
  });

  it('has fresh tensors of the stated distribution, and norms of ones', async () => {
    for (const { name, origin, std: stated } of result.report.tensors) {
      if (origin !== 'fresh') continue;
      const std = STDS.find(([pattern]) => pattern.test(name))![1];
      expect(stated, name).toBeCloseTo(std, 6);
      const values = toFloat32(await result.reader.read(name), 'F32');
      if (std === 0) {
        expect(
          values.every((value) => value === 1),
          name,
        ).toBe(true);
        continue;
      }
      const limit = 3 * std * (1 + 1e-6);
      expect(
        values.every((value) => Math.abs(value) <= limit),
        name,
      ).toBe(true);
      if (values.length < 2000) continue;
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      // A normal distribution truncated at three standard deviations keeps 0.9866 of its deviation.
      expect(Math.abs(mean), name).toBeLessThan((5 * std) / Math.sqrt(values.length));
      expect(deviation / std, name).toBeCloseTo(0.9866, 1);
    }
  });

  it('is the same for the same seed, and different for another', async () => {
    const again = await remapGolden(goldenPath('plain/llama'), join(folder, 'again'));
    const other = await remapGolden(goldenPath('plain/llama'), join(folder, 'other'), { seed: 2 });
    const name = 'model.encoder_hash_tok_embedding.weight';
    expect(Buffer.compare(await again.reader.read(name), await result.reader.read(name))).toBe(0);
    expect(Buffer.compare(await other.reader.read(name), await result.reader.read(name))).not.toBe(0);
    for (const { source, reader } of [again, other]) {
      await source.close();
      await reader.close();
    }
  });

  it('stays bfloat16 if the source is', async () => {
    const source = await openLlama(goldenPath('plain/llama'));
    const from = mkdtempSync(join(folder, 'bf16-'));
    await copyFile(goldenPath('plain/llama/config.json'), join(from, 'config.json'));
    const infos = [...source.reader.tensors.values()].map((info) => ({ ...info, dtype: 'BF16' as const }));
    await writeCheckpoint(
      from,
      infos,
      async ({ name }) => fromFloat32(toFloat32(await source.reader.read(name), 'F32'), 'BF16'),
      { maxShardBytes: 50_000 },
    );
    await source.close();
    const remapped = await remapGolden(from, join(folder, 'from-bf16'));
    expect(new Set(remapped.report.tensors.map(({ dtype }) => dtype))).toEqual(new Set(['BF16']));
    const name = 'model.layers.1.mlp.down_proj.weight';
    expect(await remapped.reader.read(toBltName(name)!.name)).toEqual(await remapped.source.reader.read(name));
    await remapped.source.close();
    await remapped.reader.close();
  });

  it('does not exist if the remap was stopped', async () => {
    const source = await openLlama(goldenPath('plain/llama'));
    const stopped = join(folder, 'stopped', 'blt');
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    const options = {
      source,
      config: configOf(source),
      out: stopped,
      seed: 1,
      dtype: 'source',
      onProgress,
      signal: controller.signal,
    } as const;
    await expect(remap(options)).rejects.toThrow('enough');
    expect(readdirSync(join(folder, 'stopped'))).toEqual([]);
    await source.close();
  });
});

it('q and k of a GGUF file are interleaved already and copied', async () => {
  const source = await openLlama(fileURLToPath(new URL('../fixtures/gguf/tiny.gguf', import.meta.url)));
  const report = await remap({ source, config: configOf(source), out: join(folder, 'gguf'), seed: 1, dtype: 'source' });
  const reader = await openCheckpoint(join(folder, 'gguf'));
  expect(report.tensors.some(({ origin }) => origin === 'permuted')).toBe(false);
  const name = 'model.layers.0.self_attn.q_proj.weight';
  expect(await reader.read(toBltName(name)!.name)).toEqual(await source.reader.read(name));
  await reader.close();
  await source.close();
});

it('rope_freqs of a GGUF file are dropped with their reason', async () => {
  const path = join(folder, 'llama3.gguf');
  await writeFile(path, sampleLlamaGguf({ more: { 'rope_freqs.weight': ropeFreqs() } }));
  const source = await openLlama(path);
  const report = await remap({
    source,
    config: configOf(source),
    out: join(folder, 'llama3'),
    seed: 1,
    dtype: 'source',
  });
  await source.close();
  expect(report.dropped.map(({ name }) => name).sort()).toEqual([
    'model.embed_tokens.weight',
    'model.norm.weight',
    'rope_freqs.weight',
  ]);
  expect(report.dropped.find(({ name }) => name === 'rope_freqs.weight')?.reason).toMatch(/config has the numbers/);
});
