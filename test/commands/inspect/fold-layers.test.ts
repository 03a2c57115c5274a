import { describe, expect, it } from 'vitest';
import { foldLayers } from '../../../src/commands/inspect/fold-layers.js';

const tensor = (name: string, shape = [2, 3], dtype = 'BF16') => ({ name, dtype, shape, part: 'other' });
const names = (...tensors: ReturnType<typeof tensor>[]) => foldLayers(tensors).map(({ name, count }) => [name, count]);

describe('tensors of layers', () => {
  it('with equal dtype and shape share a row, in order of first appearance', () => {
    const layers = [0, 1, 2, 10].flatMap((layer) => [
      tensor(`model.layers.${layer}.mlp.up_proj.weight`),
      tensor(`model.layers.${layer}.input_layernorm.weight`, [3]),
    ]);
    expect(names(tensor('model.embed_tokens.weight'), ...layers)).toEqual([
      ['model.embed_tokens.weight', 1],
      ['model.layers.0-2,10.mlp.up_proj.weight', 4],
      ['model.layers.0-2,10.input_layernorm.weight', 4],
    ]);
  });

  it('stay separate if dtype, shape or model part differ', () => {
    const own = 'model.local_encoder.layers';
    expect(
      names(
        tensor(`${own}.0.a`),
        tensor(`${own}.1.a`, [4]),
        tensor(`${own}.2.a`, [2, 3], 'F32'),
        tensor('model.local_decoder.layers.0.a'),
        tensor('model.local_decoder.cross_attn_layers.0.a'),
      ),
    ).toHaveLength(5);
  });

  it('of GGUF files are folded too, and a number elsewhere in a name is not a layer', () => {
    expect(
      names(tensor('blk.0.attn_q.weight'), tensor('blk.1.attn_q.weight'), tensor('norm.0'), tensor('norm.1')),
    ).toEqual([
      ['blk.0-1.attn_q.weight', 2],
      ['norm.0', 1],
      ['norm.1', 1],
    ]);
  });
});
