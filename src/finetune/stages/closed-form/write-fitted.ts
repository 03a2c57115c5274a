/** @module Writes the checkpoint of the closed-form initialisation. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, configText, toTransformersConfig } from '../../../blt/index.js';
import { writeFolderAtomic } from '../../../fs/index.js';
import { fromFloat32, type TensorInfo, type TensorReader } from '../../../safetensors/index.js';
import { writeWeights } from '../../loop/write-weights.js';

export const METRICS_FILE = 'closed-form.json';

/** Writes the checkpoint: fitted tensors in float32, all others unchanged. */
export async function writeFitted(params: {
  folder: string;
  root: string;
  config: BltConfig;
  start: TensorReader;
  fitted: ReadonlyMap<string, Float32Array>;
  metrics: Readonly<Record<string, number>>;
}): Promise<void> {
  const { folder: path, root, config, start, fitted, metrics } = params;
  const tensors = bltTensors(config).map(({ name, shape }) =>
    fitted.has(name) ? { name, dtype: 'F32' as const, shape } : start.tensors.get(name)!,
  );
  const trained = ({ name }: TensorInfo) => {
    const values = fitted.get(name);
    return values === undefined ? null : fromFloat32(values, 'F32');
  };
  await writeFolderAtomic(path, async (folder) => {
    await writeFile(join(folder, 'config.json'), configText(toTransformersConfig(config, 'float32')));
    await writeWeights({ folder, path, tensors, trained, isTrained: (name) => fitted.has(name), start, root });
    await writeFile(join(folder, METRICS_FILE), `${JSON.stringify(metrics, null, 2)}\n`);
  });
}
