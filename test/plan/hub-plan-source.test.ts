import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hubPlanSource } from '../../src/plan/hub-plan-source.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const config = JSON.stringify({
  model_type: 'llama',
  vocab_size: 320,
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  intermediate_size: 96,
  torch_dtype: 'bfloat16',
});
const signal = new AbortController().signal;
let server: Server | null = null;

beforeEach(() => {
  vi.stubEnv('HF_HOME', folder());
  vi.stubEnv('HF_TOKEN', 'hf_test');
  for (const name of ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
    vi.stubEnv(name, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  server?.close();
});

async function hub(answer: RequestListener): Promise<void> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function fillCache(): Promise<void> {
  const repository = join(folder(), 'hub', 'models--org--name');
  const commit = 'a'.repeat(40);
  await mkdir(join(repository, 'refs'), { recursive: true });
  await mkdir(join(repository, 'snapshots', commit), { recursive: true });
  await writeFile(join(repository, 'refs', 'main'), commit);
  await writeFile(join(repository, 'snapshots', commit, 'config.json'), config);
}

it('a hub model’s plan requests only the config, of the right revision, with the token', async () => {
  const asked: (string | undefined)[][] = [];
  await hub((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    response.end(config);
  });
  expect(await hubPlanSource('org/name@v1', signal)).toMatchObject({ bytesPerWeight: 2, config: { layers: 1 } });
  expect(asked).toEqual([['/org/name/resolve/v1/config.json', 'Bearer hf_test']]);
});

it('a refusal of the hub is passed on', async () => {
  await hub((_request, response) => response.writeHead(403, { 'x-error-code': 'GatedRepo' }).end());
  await expect(hubPlanSource('org/name', signal)).rejects.toThrow('org/name is gated');
});

it('the cache is used if the hub must not be contacted, and an empty cache is reported', async () => {
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  await expect(hubPlanSource('org/name', signal)).rejects.toThrow(
    'Offline mode is on (HF_HUB_OFFLINE), and the config of org/name is not in the cache.',
  );
  await fillCache();
  expect(await hubPlanSource('org/name', signal)).toMatchObject({ config: { hiddenSize: 64 } });
});

it('the request stops when the signal is aborted', async () => {
  await hub(() => undefined);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  await expect(hubPlanSource('org/name', controller.signal)).rejects.toThrow(/abort/i);
  server?.closeAllConnections();
});

it('a text that is neither a path nor an id is refused', async () => {
  await expect(hubPlanSource('./nowhere', signal)).rejects.toMatchObject({ exitCode: 2 });
});

it('no error contains the token, not even an invalid one', async () => {
  await hub((_request, response) => response.end(config));
  vi.stubEnv('HF_TOKEN', '');
  await writeFile(join(folder(), 'token'), 'hf_secret\0');
  const error = await hubPlanSource('org/name', signal).catch((thrown: Error) => thrown);
  expect(error).toBeInstanceOf(Error);
  expect(`${(error as Error).stack} ${(error as Error).cause}`).not.toContain('hf_secret');
});
