import { beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { BLT_FIELDS, type BltModel, batchTensors, bltForward, openBlt } from '../../src/model/index.js';
import { goldenPath, plainCases } from '../support/golden.js';
import { goldenBatch } from '../support/golden-batch.js';
import { numbers } from '../support/modes.js';
import { openOneRow } from '../support/one-row.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

/** The plain golden model with three encoder layers, each with a cross-attention. */
async function openCrossEverywhere(): Promise<BltModel> {
  const opened = await openBlt(goldenPath('plain/blt'));
  const encoder = { ...opened.config.encoder, layers: 3, crossAttnAllLayers: true };
  const config: BltConfig = { ...opened.config, encoder };
  const params = new Map(opened.params);
  for (const [i, { name, shape }] of bltTensors(config).entries())
    if (!params.has(name))
      params.set(
        name,
        tf.tidy(() => tf.mul(numbers(shape, i), shape.at(-1)! ** -0.5)),
      );
  return { config, params, dispose: () => tf.dispose([...params.values()]) };
}

describe.each([
  ['with one row per patch', async () => (await openOneRow(2)).model, /decoder\.cross_attn.*(q_norm|q_proj|k_proj)/],
  ['with two rows per patch', () => openBlt(goldenPath('plain/blt')), /^$/],
  ['with cross-attention after every encoder layer', openCrossEverywhere, /encoder\.cross_attn_layers\.[01]/],
] as const)('a model %s', (_what, open, unused) => {
  it('marks as unused exactly the tensors on which its logits do not depend', async () => {
    const model = await open();
    const { batch } = goldenBatch(
      model,
      plainCases.slice(0, 2).map(({ input_ids }) => input_ids.slice(0, 24)),
    );
    const logits = (params: BltModel['params']) =>
      tf.tidy(() => bltForward(params, model.config, batchTensors(batch, BLT_FIELDS)).dataSync());
    const before = logits(model.params);
    const specs = bltTensors(model.config).filter(({ part }) => part !== 'patcher');
    for (const spec of specs) {
      const value = model.params.get(spec.name)!;
      const other = tf.tidy(() => tf.add(value, tf.mul(numbers(spec.shape, 5), 0.1)));
      const changed = logits(new Map([...model.params, [spec.name, other]]));
      other.dispose();
      expect(
        changed.some((logit, i) => logit !== before[i]),
        spec.name,
      ).toBe(!spec.unused);
      expect(unused.test(spec.name), spec.name).toBe(spec.unused === true);
    }
    model.dispose();
  });
});
