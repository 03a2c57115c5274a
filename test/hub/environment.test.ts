import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hubEnvironment } from '../../src/hub/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('the environment has the defaults of huggingface_hub', () => {
  expect(hubEnvironment({ HOME: '/home/user' })).toEqual({
    endpoint: 'https://huggingface.co',
    cacheDir: '/home/user/.cache/huggingface/hub',
    token: null,
    offline: false,
  });
});

it.each([
  [{ XDG_CACHE_HOME: '/c' }, '/c/huggingface/hub'],
  [{ XDG_CACHE_HOME: '/c', HF_HOME: '/hf' }, '/hf/hub'],
  [{ HF_HOME: '~/hf' }, '/home/user/hf/hub'],
  [{ HF_HOME: '$DATA/$NONE', DATA: '/data' }, '/data/$NONE/hub'],
  [{ HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
  [{ HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/new' }, '/new'],
])('%j moves the cache to %s', (env, cacheDir) => {
  expect(hubEnvironment({ HOME: '/home/user', ...env }).cacheDir).toBe(cacheDir);
});

it('the token is read from HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file', async () => {
  await writeFile(join(folder(), 'token'), 'hf_file\r\n');
  await writeFile(join(folder(), 'elsewhere'), 'hf_path');
  const env = { HF_HOME: folder() };
  expect(hubEnvironment(env).token).toBe('hf_file');
  expect(hubEnvironment({ ...env, HF_TOKEN_PATH: join(folder(), 'elsewhere') }).token).toBe('hf_path');
  expect(hubEnvironment({ ...env, HUGGING_FACE_HUB_TOKEN: 'hf_old' }).token).toBe('hf_old');
  expect(hubEnvironment({ ...env, HUGGING_FACE_HUB_TOKEN: 'hf_old', HF_TOKEN: ' hf_new\n' }).token).toBe('hf_new');
});

it.each([
  [{ HF_HUB_OFFLINE: '1' }, true],
  [{ HF_HUB_OFFLINE: 'yes' }, true],
  [{ TRANSFORMERS_OFFLINE: 'on' }, true],
  [{ HF_HUB_OFFLINE: '0', TRANSFORMERS_OFFLINE: '1' }, false],
  [{ HF_HUB_OFFLINE: '' }, false],
])('%j sets offline mode to %s', (env, offline) => {
  expect(hubEnvironment(env).offline).toBe(offline);
});

it('a trailing slash of the endpoint is removed', () => {
  expect(hubEnvironment({ HF_ENDPOINT: 'https://mirror.example/' }).endpoint).toBe('https://mirror.example');
});
