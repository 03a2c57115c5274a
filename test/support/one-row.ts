/** The plain golden model with one row per patch: tensors of other shapes are replaced by numbers. The engine must be started. */
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import { tf } from '../../src/engine/index.js';
import { openBlt } from '../../src/model/index.js';
import { goldenPath } from './golden.js';
import { numbers } from './modes.js';
import { type ResidentGolden, residentOf } from './resident-golden.js';

/** @param kvHeads of the decoder, which has two heads */
export async function openOneRow(kvHeads: 1 | 2): Promise<ResidentGolden> {
  const { config: golden, params: given } = await openBlt(goldenPath('plain/blt'));
  const config: BltConfig = { ...golden, crossAttnK: 1, decoder: { ...golden.decoder, kvHeads } };
  const params = new Map<string, tf.Tensor>();
  for (const [i, { name, shape }] of bltTensors(config).entries()) {
    const known = given.get(name);
    const fits = known !== undefined && known.shape.join() === shape.join();
    params.set(name, fits ? tf.clone(known) : tf.tidy(() => tf.mul(numbers(shape, i), shape.at(-1)! ** -0.5)));
  }
  tf.dispose([...given.values()]);
  return residentOf(config, params);
}
