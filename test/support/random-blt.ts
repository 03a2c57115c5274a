/** A BLT folder of random weights, of any size, for tests that depend on timing and not on results. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, configText, toTransformersConfig } from '../../src/blt/index.js';
import { freshChunks } from '../../src/remap/fresh.js';
import { writeCheckpoint } from '../../src/safetensors/index.js';

export async function writeRandomBlt(folder: string, config: BltConfig): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), configText(toTransformersConfig(config, 'float32')));
  const specs = new Map(bltTensors(config).map((spec) => [spec.name, spec]));
  const infos = [...specs.values()].map(({ name, shape }) => ({ name, dtype: 'F32' as const, shape }));
  await writeCheckpoint(folder, infos, async function* ({ name }) {
    yield* freshChunks(specs.get(name)!, 1, 'F32');
  });
}
