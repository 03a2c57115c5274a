import { describe, expect, it } from 'vitest';
import { openLlama } from '../../src/llama/index.js';
import type { Dtype, TensorInfo } from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { smallLlama } from './samples.js';

const folder = temporaryFolder();
const Q = 'model.layers.0.self_attn.q_proj.weight';

const open = async (tensors: (all: Map<string, TensorInfo>) => void, config = {}) => {
  const source = await openLlama(await smallLlama(folder(), { tensors, config }));
  await source.close();
  return source;
};

const add =
  (...names: string[]) =>
  (all: Map<string, TensorInfo>) => {
    for (const name of names) all.set(name, { name, shape: [4], dtype: 'F32' });
  };

const rename = (change: (name: string) => string) => (all: Map<string, TensorInfo>) => {
  const infos = [...all.values()];
  all.clear();
  for (const info of infos) all.set(change(info.name), { ...info, name: change(info.name) });
};

describe('a tensor of another kind of checkpoint is named as such:', () => {
  it.each<[string, RegExp]>([
    ['model.layers.0.self_attn.q_proj.lora_A.weight', /lora_A\.weight", a part of an adapter/],
    ['base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight', /a part of an adapter/],
    [
      'base_model.model.prompt_embeddings',
      /prompt_embeddings", named as peft|prompt_embeddings", a part of an adapter/,
    ],
    ['model.layers.0.mlp.up_proj.base_layer.weight', /as peft wraps/],
    ['score.weight', /"score\.weight", the head of a model that classifies/],
    ['classifier.bias', /the head of a model that classifies/],
    ['v_head.summary.weight', /the head of a model that classifies or scores/],
    ['model.layers.0.self_attn.q_proj.qweight', /quantised by GPTQ or AWQ/],
    ['model.layers.0.self_attn.q_proj.scales', /a quantised weight/],
    ['model.layers.0.self_attn.q_proj.weight.absmax', /bitsandbytes/],
    ['model.layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4', /bitsandbytes/],
    ['model.layers.0.self_attn.q_proj.SCB', /bitsandbytes/],
    ['model.layers.0.self_attn.q_proj.weight_scale', /the scale or another part of a quantised weight/],
    ['model.layers.0.self_attn.q_proj.weight_scale_inv', /the scale or another part/],
    ['model.layers.0.self_attn.q_proj.input_scale', /the scale or another part/],
    ['model.layers.0.self_attn.q_proj.weight_packed', /the scale or another part/],
    ['model.layers.0.self_attn.k_scale', /the scale or another part/],
    ['model.layers.0.self_attn.q_proj.bias', /a bias, but BLT/],
    ['model.layers.0.mlp.experts.3.up_proj.weight', /a mixture of experts/],
    ['model.layers.0.block_sparse_moe.gate.weight', /a mixture of experts/],
    ['model.layers.0.self_attn.q_norm.weight', /a norm of queries or keys/],
    ['model.layers.0.self_attn.qkv_proj.weight', /several projections in one/],
    ['model.vision_tower.patch.weight', /reads images or sound/],
    ['scales', /the scale or another part/],
    ['model.layers.0.extra.weight', /contains the tensor model\.layers\.0\.extra\.weight, which no Llama has/],
  ])('%s', async (name, message) => {
    await expect(open(add(name))).rejects.toThrow(message);
  });
});

describe('a whole checkpoint under other names is refused because of them:', () => {
  it.each<[string, (name: string) => string, RegExp]>([
    ['torch.compile', (name) => `_orig_mod.${name}`, /as torch\.compile wraps/],
    ['torch.compile inside', (name) => name.replace('model.', 'model._orig_mod.'), /as torch\.compile wraps/],
    ['DataParallel', (name) => `module.${name}`, /as DataParallel or DeepSpeed wraps/],
    ['FSDP', (name) => `_fsdp_wrapped_module.${name}`, /as FSDP wraps/],
    ['activation checkpointing', (name) => name.replace('.0.', '.0._checkpoint_wrapped_module.'), /as FSDP wraps/],
    ['peft', (name) => `base_model.model.${name}`, /as peft wraps/],
    ['a vision model', (name) => `language_model.${name}`, /reads images or sound/],
    [
      'Meta',
      (name) =>
        name
          .replace('model.embed_tokens', 'tok_embeddings')
          .replace('model.layers', 'layers')
          .replace('self_attn.q_proj', 'attention.wq'),
      /as in Meta’s own checkpoints/,
    ],
  ])('%s', async (_what, change, message) => {
    await expect(open(rename(change))).rejects.toThrow(message);
  });
});

describe('a tensor that cannot be converted is named', () => {
  it.each<[Dtype, number[]]>([
    ['F8_E4M3', [8, 8]],
    ['F8_E5M2', [8, 8]],
    ['F8_E8M0', [8, 8]],
    ['F4', [8, 8]],
    ['F6_E2M3', [8, 8]],
    ['I8', [8, 8]],
    ['U8', [32, 1]],
    ['C64', [8, 8]],
    ['BOOL', [8, 8]],
  ])('of type %s', async (dtype, shape) => {
    await expect(open((all) => all.set(Q, { name: Q, shape, dtype }))).rejects.toThrow(
      `${Q} is stored as ${dtype}, which cannot be converted`,
    );
  });

  it('that no Llama has', async () => {
    const add = (all: Map<string, TensorInfo>) => all.set('packed', { name: 'packed', shape: [2, 2], dtype: 'F4' });
    await expect(open(add)).rejects.toThrow('contains the tensor packed of type F4, which no Llama has');
  });

  it('unless it is only BF16, F16 or F64', async () => {
    for (const dtype of ['BF16', 'F16', 'F64'] as const)
      await open((all) => all.set(Q, { name: Q, shape: [8, 8], dtype }));
  });
});

describe('a number of layers other than the config’s', () => {
  const layer = (i: number) => (all: Map<string, TensorInfo>) => {
    for (const info of [...all.values()].filter(({ name }) => name.startsWith('model.layers.0.'))) {
      const name = info.name.replace('.0.', `.${i}.`);
      all.set(name, { ...info, name });
    }
  };

  it('is reported if it is larger', async () => {
    await expect(open(layer(2))).rejects.toThrow(/has 3 layers, but its config says 2/);
  });

  it('is reported if it is smaller', async () => {
    const cut = (all: Map<string, TensorInfo>) => {
      for (const name of [...all.keys()].filter((key) => key.startsWith('model.layers.1.'))) all.delete(name);
    };
    await expect(open(cut)).rejects.toThrow(/has 1 layers?, but its config says 2/);
  });

  it('is not the error if a single tensor is missing', async () => {
    await expect(open((all) => all.delete(Q))).rejects.toThrow(`lacks the tensor ${Q}`);
  });
});
