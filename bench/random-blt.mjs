// A BLT folder of random weights, of any size: for what depends on how long things take and not on what they say.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bltTensors, toTransformersConfig } from '../dist/blt/index.js';
import { freshChunks } from '../dist/remap/fresh.js';
import { writeCheckpoint } from '../dist/safetensors/index.js';

export async function writeRandomBlt(folder, config) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(toTransformersConfig(config, 'float32')));
  const specs = new Map(bltTensors(config).map((spec) => [spec.name, spec]));
  const infos = [...specs.values()].map(({ name, shape }) => ({ name, dtype: 'F32', shape }));
  await writeCheckpoint(folder, infos, async function* ({ name }) {
    yield* freshChunks(specs.get(name), 1, 'F32');
  });
}
