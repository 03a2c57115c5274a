import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const FILES = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

/** The embedded tiny Llama as a hub repository. */
export async function tinyRepository(): Promise<Record<string, string | Uint8Array>> {
  const folder = new URL('../../assets/tiny-llama/', import.meta.url);
  const files = FILES.map(async (name) => [name, await readFile(fileURLToPath(new URL(name, folder)))] as const);
  return {
    'README.md': '---\nlicense: apache-2.0\nlanguage: [en]\n---\n# A tiny Llama\n',
    LICENSE: 'Apache-2.0\n',
    ...Object.fromEntries(await Promise.all(files)),
  };
}
