import { mkdtempSync, rmSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../src/engine/index.js';
import { selfCheck } from '../../src/evaluate/index.js';
import { fromFloat32, openCheckpoint, toFloat32, writeCheckpoint } from '../../src/safetensors/index.js';
import { goldenPath } from '../support/golden.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-check-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const BLT = goldenPath('plain/blt');

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

/** The golden model with every tensor changed by a function. */
async function rewritten(
  dtype: 'F32' | 'BF16',
  change: (name: string, values: Float32Array) => void = () => undefined,
): Promise<string> {
  const folder = mkdtempSync(join(work, 'export-'));
  await copyFile(join(BLT, 'config.json'), join(folder, 'config.json'));
  const reader = await openCheckpoint(BLT);
  const infos = [...reader.tensors.values()].map((info) => ({ ...info, dtype }));
  await writeCheckpoint(folder, infos, async ({ name }) => {
    const values = Float32Array.from(toFloat32(await reader.read(name), 'F32'));
    change(name, values);
    return fromFloat32(values, dtype);
  });
  await reader.close();
  return folder;
}

it('the self-check passes an export in either precision, and leaks no tensor', async () => {
  const before = engine.liveHandles();
  expect(await selfCheck(BLT, await rewritten('F32'), 'float32')).toMatchObject({ maxLogitDifference: 0 });
  expect((await selfCheck(BLT, await rewritten('BF16'), 'bfloat16')).maxLogitDifference).toBeLessThan(1e-4);
  expect(engine.liveHandles()).toBe(before);
});

it('the self-check fails an export whose weights differ from the checkpoint’s', async () => {
  const swapped = await rewritten('F32', (name, values) => {
    if (name === 'model.global_transformer.layers.1.self_attn.k_proj.weight') values.reverse();
  });
  await expect(selfCheck(BLT, swapped, 'float32')).rejects.toThrow(/a logit differs by/);
  await expect(selfCheck(BLT, await rewritten('BF16'), 'float32')).rejects.toThrow(
    /different patches|a logit differs by/,
  );
});

/** The golden model with a changed config.json. */
async function reconfigured(change: (json: Config) => void): Promise<string> {
  const folder = await rewritten('F32');
  const path = join(folder, 'config.json');
  const json = JSON.parse(await readFile(path, 'utf8')) as Config;
  change(json);
  await writeFile(path, JSON.stringify(json));
  return folder;
}

type Config = Record<'patching_threshold' | 'max_patch_length', number> &
  Record<'global_config' | 'patcher_config', { rope_parameters: { rope_theta: number } }>;

it('the self-check fails an export whose patcher differs from the checkpoint’s', async () => {
  const zeroed = await rewritten('F32', (name, values) => {
    if (name.startsWith('model.patcher.')) values.fill(0);
  });
  await expect(selfCheck(BLT, zeroed, 'float32')).rejects.toThrow(/segments a text into different patches/);
});

it.each<[string, (json: Config) => void, RegExp]>([
  ['threshold', (json) => (json.patching_threshold += 0.2), /different patches/],
  ['threshold, by 1e-9', (json) => (json.patching_threshold += 1e-9), /"patching" in its config.json differs/],
  ['maximum patch length', (json) => (json.max_patch_length = 3), /different patches/],
  ['rope_theta', (json) => (json.global_config.rope_parameters.rope_theta = 10_000), /a logit differs by/],
  [
    'rope_theta of the patcher',
    (json) => (json.patcher_config.rope_parameters.rope_theta = 100),
    /different patches|"patcher" in its config.json differs/,
  ],
])('the self-check fails an export whose config has a different %s', async (_what, change, says) => {
  const before = engine.liveHandles();
  await expect(selfCheck(BLT, await reconfigured(change), 'float32')).rejects.toThrow(says);
  expect(engine.liveHandles()).toBe(before);
});
