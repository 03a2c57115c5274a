// Folders of models whose weights are never read: headers of the right shapes over files without blocks on the disk.
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bltTensors, toTransformersConfig } from '../../dist/blt/index.js';
import { llamaTensors, parseLlamaConfig } from '../../dist/llama/index.js';
import { writeAlignment } from '../../dist/patching/index.js';
import { elementCount } from '../../dist/safetensors/index.js';

const TINY_LLAMA = fileURLToPath(new URL('../../assets/tiny-llama/', import.meta.url));

/** model.safetensors with a header and nothing but a hole behind it, in bfloat16. */
function writeHollow(folder, tensors) {
  let at = 0;
  const header = {};
  for (const { name, shape } of tensors) {
    const bytes = 2 * elementCount(shape);
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  try {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    writeSync(file, Buffer.concat([size, json]));
    ftruncateSync(file, 8 + json.length + at);
  } finally {
    closeSync(file);
  }
}

/** The embedded model's tokenizer with tokens that no text has, up to the size of another vocabulary. */
function paddedTokenizer(vocabSize) {
  const tokenizer = JSON.parse(readFileSync(join(TINY_LLAMA, 'tokenizer.json'), 'utf8'));
  for (let id = Object.keys(tokenizer.model.vocab).length; id < vocabSize; id++)
    tokenizer.model.vocab[`qx${id.toString(36)}xq`] = id;
  return tokenizer;
}

/** A Llama of the given sizes. @param {Record<string, unknown>} json its config.json */
export function writeSource(folder, json) {
  mkdirSync(folder, { recursive: true });
  const config = parseLlamaConfig(json, 'config.json');
  writeFileSync(join(folder, 'config.json'), JSON.stringify(json));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(paddedTokenizer(config.vocabSize)));
  copyFileSync(join(TINY_LLAMA, 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
  writeHollow(folder, llamaTensors(config));
  return config;
}

/** A BLT, with a patcher that is aligned with the source's tokens if `aligned`. @param extra tensors beside those of the config */
export async function writeBlt(folder, config, { aligned, extra }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(toTransformersConfig(config, 'bfloat16')));
  writeHollow(folder, [...bltTensors(config), ...extra]);
  if (aligned === null) return;
  await writeAlignment(folder, { ...aligned, tokenizerDigest: '', trainingThreshold: 1 });
}
