import { beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, bltTensors, type Part, readBltConfig } from '../../../src/blt/index.js';
import { startEngine } from '../../../src/engine/index.js';
import { groupOf } from '../../../src/finetune/loop/checkpoint.js';
import { tokenEndHead } from '../../../src/model/patcher/token-end-head.js';
import { goldenPath } from '../../support/golden.js';
import { goldenStart, openTraining, packerOf, stepInput } from '../../support/training.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

const ADAMW = { learningRateScale: {}, muonScale: null };

describe.each(['plain/blt', 'projection-gqa'])('groupOf, for the tensors of %s,', (name) => {
  let config: BltConfig;
  beforeAll(async () => {
    config = await readBltConfig(goldenPath(name));
  });

  // By name, independently of our own table of tensors. Projections have `embedding` in their names and are linear layers.
  const isNorm = (tensor: string) => /(norm|layernorm)\.weight$/.test(tensor);
  const isEmbedding = (tensor: string) => /(embed_tokens|hash_tok_embedding)\.weight$/.test(tensor);

  it('applies weight decay to every linear layer, but not to norms and embeddings', () => {
    const specs = bltTensors(config);
    const decayed = specs.filter((spec) => groupOf(spec, ADAMW).decay).map((spec) => spec.name);
    expect(decayed).toEqual(specs.map((spec) => spec.name).filter((tensor) => !isNorm(tensor) && !isEmbedding(tensor)));
    expect(decayed).toContain('lm_head.weight');
    expect(decayed).toContain('model.local_encoder.patch_embedding_projection.weight');
    for (const spec of specs.filter((candidate) => groupOf(candidate, ADAMW).decay)) expect(spec.shape.length).toBe(2);
  });

  it('uses the learning-rate scale of the tensor’s part, which is 1 by default', () => {
    const scale = { global: 0.1, hash: 3 };
    for (const spec of bltTensors(config)) {
      const wanted = spec.name.startsWith('model.global_transformer.layers') ? 0.1 : /hash_tok/.test(spec.name) ? 3 : 1;
      expect(groupOf(spec, { learningRateScale: scale, muonScale: null }).learningRateScale, spec.name).toBe(wanted);
    }
  });

  it('assigns every matrix but embeddings and heads to Muon, whose rate has the same scale by part', () => {
    const groups = [...bltTensors(config), tokenEndHead(config)].map((spec) => ({
      spec,
      ...groupOf(spec, { learningRateScale: { global: 0.5 }, muonScale: 10 }),
    }));
    for (const { spec, optimizer, learningRateScale, decay } of groups) {
      const moves = /(proj|projection)\.weight$/.test(spec.name);
      const rate = (spec.part === 'global' ? 0.5 : 1) * (moves ? 10 : 1);
      expect([spec.name, optimizer, learningRateScale]).toEqual([spec.name, moves ? 'muon' : 'adamw', rate]);
      expect(decay, spec.name).toBe(groupOf(spec, ADAMW).decay);
    }
    const byMuon = groups.filter(({ optimizer }) => optimizer === 'muon').map(({ spec }) => spec);
    expect(byMuon.every(({ shape }) => shape.length === 2)).toBe(true);
    for (const name of ['cross_attn_layers.0.q_proj', 'local_decoder.patch_embedding_projection', 'mlp.down_proj'])
      expect(
        byMuon.some((spec) => spec.name.endsWith(`${name}.weight`)),
        name,
      ).toBe(true);
  });
});

describe('the learning-rate scale of a part of the model', () => {
  const shape = { rows: 2, length: 48 };

  /** The norm of each parameter's change in AdamW's first step. */
  async function moved(learningRateScale: Partial<Record<Part, number>>): Promise<Map<string, number>> {
    const start = await goldenStart();
    const training = await openTraining({ start, mode: 'graph', learningRateScale });
    const rows = await packerOf(shape.length).next(shape.rows);
    await training.step(stepInput(start.config, [rows], shape.length), 1e-2);
    const weights = training.weights();
    training.close();
    return new Map(
      [...weights].map(([name, values]) => {
        const was = start.weights.get(name)!.values;
        return [name, Math.hypot(...was.map((value, i) => values[i]! - value))];
      }),
    );
  }

  it('scales the change of that part’s parameters only', async () => {
    const scale = { encoder: 0.2, decoder: 0.5, global: 0.1, hash: 0.3 };
    const [whole, scaled] = [await moved({}), await moved(scale)];
    const parts = new Map(bltTensors((await goldenStart()).config).map((spec) => [spec.name, spec.part]));
    for (const [name, distance] of whole) {
      expect(distance, name).toBeGreaterThan(0);
      const wanted = (scale as Partial<Record<Part, number>>)[parts.get(name)!] ?? 1;
      expect(Math.abs(scaled.get(name)! / distance / wanted - 1), name).toBeLessThan(1e-3);
    }
  });
});
