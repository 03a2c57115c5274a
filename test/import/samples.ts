import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, writeCheckpoint } from '../../src/safetensors/index.js';

/** The tiny Llama that is shipped with byteify. */
export const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
export const TINY_GGUF = fileURLToPath(new URL('../fixtures/gguf/tiny.gguf', import.meta.url));

export const CARD = '---\nlicense: apache-2.0\nlanguage:\n- en\n---\n# A model\n';

/** A transformers folder: the tiny Llama in several shards, with a card and a licence, and files that no conversion needs. */
export async function shardedModel(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) {
    await cp(join(TINY, name), join(folder, name));
  }
  const reader = await openCheckpoint(TINY);
  await writeCheckpoint(folder, [...reader.tensors.values()], ({ name }) => reader.read(name), { maxShardBytes: 1e6 });
  await reader.close();
  await writeFile(join(folder, 'README.md'), CARD);
  await writeFile(join(folder, 'LICENSE'), 'Terms.\n');
  await writeFile(join(folder, 'optimizer.bin'), 'x');
  return folder;
}
