import { mkdtempSync, rmSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
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

it('passes an export in either precision, and leaves nothing in the engine', async () => {
  const before = engine.liveHandles();
  expect(await selfCheck(BLT, await rewritten('F32'), 'float32')).toMatchObject({ maxLogitDifference: 0 });
  expect((await selfCheck(BLT, await rewritten('BF16'), 'bfloat16')).maxLogitDifference).toBeLessThan(1e-4);
  expect(engine.liveHandles()).toBe(before);
});

it('fails one whose weights are not the checkpoint’s', async () => {
  const swapped = await rewritten('F32', (name, values) => {
    if (name.endsWith('layers.1.self_attn.k_proj.weight')) values.reverse();
  });
  await expect(selfCheck(BLT, swapped, 'float32')).rejects.toThrow(/a logit differs by/);
  await expect(selfCheck(BLT, await rewritten('BF16'), 'float32')).rejects.toThrow(/a logit differs by/);
});
