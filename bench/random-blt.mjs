// Writes a BLT folder of any size with random weights.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bltTensors, configText, toTransformersConfig } from '../dist/blt/index.js';
import { freshChunks } from '../dist/remap/fresh.js';
import { writeCheckpoint } from '../dist/safetensors/index.js';

export async function writeRandomBlt(folder, config, seed = 1) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), configText(toTransformersConfig(config, 'float32')));
  const specs = new Map(bltTensors(config).map((spec) => [spec.name, spec]));
  const infos = [...specs.values()].map(({ name, shape }) => ({ name, dtype: /** @type {const} */ ('F32'), shape }));
  await writeCheckpoint(folder, infos, async function* ({ name }) {
    yield* freshChunks(specs.get(name), seed, 'F32');
  });
}
