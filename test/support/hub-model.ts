import { randomBytes } from 'node:crypto';

const SIZE = 300_000;

/** A repository that looks like a Llama's to the hub's client, which reads no weights: two shards, and many unneeded files. */
export function hubModel(): Record<string, string | Uint8Array> {
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
  return {
    '.gitattributes': '*.safetensors filter=lfs diff=lfs merge=lfs -text\n',
    'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
    'LICENSE.txt': 'Terms.\n',
    'USE_POLICY.md': 'Policy.\n',
    'config.json': '{"model_type": "llama"}',
    'generation_config.json': '',
    'tokenizer.json': '{}',
    'tokenizer_config.json': '{}',
    'model.safetensors.index.json': JSON.stringify({ weight_map: { a: shards[0], b: shards[1], c: shards[0] } }),
    [shards[0]]: randomBytes(SIZE),
    [shards[1]]: randomBytes(SIZE),
    'consolidated.safetensors': randomBytes(1000),
    'pytorch_model.bin': randomBytes(1000),
    'original/consolidated.00.pth': randomBytes(1000),
    'original/model.safetensors': randomBytes(1000),
  };
}

/** The files that a conversion needs. */
export const WANTED = [
  'LICENSE.txt',
  'README.md',
  'USE_POLICY.md',
  'config.json',
  'generation_config.json',
  'model-00001-of-00002.safetensors',
  'model-00002-of-00002.safetensors',
  'model.safetensors.index.json',
  'tokenizer.json',
  'tokenizer_config.json',
];
