/** The plain golden model with one row per patch: tensors of other shapes are replaced by numbers. The engine must be started. */
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import { createVariable, tf } from '../../src/engine/index.js';
import { openBlt } from '../../src/model/index.js';
import { goldenPath } from './golden.js';
import { numbers } from './modes.js';
import type { ResidentGolden } from './resident-golden.js';

/** @param kvHeads of the decoder, which has two heads */
export async function openOneRow(kvHeads: 1 | 2): Promise<ResidentGolden> {
  const { config: golden, params: given } = await openBlt(goldenPath('plain/blt'));
  const config: BltConfig = {
    ...golden,
    crossAttnK: 1,
    encoder: { ...golden.encoder, maxPositions: 1000 },
    decoder: { ...golden.decoder, maxPositions: 1000, kvHeads },
  };
  const params = new Map<string, tf.Tensor>();
  const weights = new Map<string, ReturnType<typeof createVariable>>();
  for (const [i, { name, shape, unused }] of bltTensors(config).entries()) {
    const known = given.get(name);
    const fits = known !== undefined && known.shape.join() === shape.join();
    const value = fits ? tf.clone(known) : tf.tidy(() => tf.mul(numbers(shape, i), shape.at(-1)! ** -0.5));
    params.set(name, value);
    if (!unused) weights.set(name, createVariable(value));
  }
  tf.dispose([...given.values()]);
  return {
    model: { config, params, dispose: () => tf.dispose([...params.values()]) },
    resident: { config, weights },
    dispose() {
      for (const variable of weights.values()) variable.dispose();
      tf.dispose([...params.values()]);
    },
  };
}
