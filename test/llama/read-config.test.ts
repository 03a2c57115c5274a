import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfigJson } from '../../src/llama/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const put = (name: string, text: string) => writeFile(join(folder(), name), text);

it('a config is read', async () => {
  await put('config.json', '{"model_type":"llama"}');
  expect(await readConfigJson(folder())).toEqual({ model_type: 'llama' });
});

it('a folder without a config is refused', async () => {
  await expect(readConfigJson(folder())).rejects.toThrow(`${folder()} contains no config.json.`);
});

it.each([
  ['a git-lfs pointer', 'version https://git-lfs.github.com/spec/v1\nsize 3\n', /config\.json is a git-lfs pointer/],
  ['NaN', '{"rope_theta": NaN}', /config\.json is not JSON: NaN, which Python writes/],
  ['a list', '[]', /config\.json is not a JSON object/],
])('a config that contains %s is refused with that reason', async (_what, text, message) => {
  await put('config.json', text);
  await expect(readConfigJson(folder())).rejects.toThrow(message);
});

it('a config that is a dangling link, or a folder, is refused with that reason', async () => {
  await symlink('/nowhere/config.json', join(folder(), 'config.json'));
  await expect(readConfigJson(folder())).rejects.toThrow(
    /config\.json is a link to \/nowhere\/config\.json, which does/,
  );
  await mkdir(join(folder(), 'model', 'config.json'), { recursive: true });
  await expect(readConfigJson(join(folder(), 'model'))).rejects.toThrow(/config\.json is a folder/);
});

it('an adapter is refused with the name of its base model', async () => {
  await put('adapter_config.json', '{"base_model_name_or_path":"org/base","peft_type":"LORA"}');
  await expect(readConfigJson(folder())).rejects.toThrow(/contains an adapter to org\/base/);
  await put('config.json', '{"model_type":"llama"}');
  // A leftover of a merge: the weights are those of the whole model.
  expect(await readConfigJson(folder())).toEqual({ model_type: 'llama' });
  await put('adapter_model.safetensors', '');
  await expect(readConfigJson(folder())).rejects.toThrow(/contains an adapter to org\/base/);
});
