import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.js';
import { type Hub, type HubOptions, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const TOKEN = 'hf_secretsecretsecret';
const folder = temporaryFolder();
let hub: Hub | null = null;

afterEach(async () => {
  await hub?.close();
  hub = null;
});

async function serve(options: Partial<HubOptions> = {}): Promise<Hub> {
  hub = await startHub({ repos: { 'org/tiny': TINY }, ...options });
  return hub;
}

/** `byteify import MODEL`, and what other processes could see of it: its command line. */
async function runImport(model: string, options: { token?: string; args?: readonly string[] } = {}) {
  const { child, finished, seen } = startCli(
    ['import', model, '--out', join(folder(), 'out'), '--verbose', ...(options.args ?? [])],
    {
      env: {
        HF_ENDPOINT: hub!.url,
        HF_HOME: join(folder(), 'hf'),
        HF_HUB_CACHE: '',
        HUGGINGFACE_HUB_CACHE: '',
        HF_HUB_OFFLINE: '',
        TRANSFORMERS_OFFLINE: '',
        HUGGING_FACE_HUB_TOKEN: '',
        HF_TOKEN: options.token ?? '',
      },
    },
  );
  await seen('Importing');
  const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
  return { ...(await finished), commandLine };
}

async function everyFile(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('byteify import of a hub model', () => {
  it('downloads it over a bad network and pins its commit', async () => {
    await serve({
      faults: [
        { kind: 'cut', on: /^\/cdn\//, afterBytes: 100_000, times: 2 },
        { kind: 'status', on: /^\/api\//, status: 503 },
        { kind: 'flip', on: /tokenizer\.json/, atByte: 100 },
      ],
    });
    const { code, stderr } = await runImport('org/tiny');
    expect(stderr).not.toContain('warning');
    expect(code).toBe(0);
    const manifest = JSON.parse(await readFile(join(folder(), 'out', 'byteify.json'), 'utf8'));
    expect(manifest.model).toBe('org/tiny');
    expect(manifest.revision).toMatch(/^[0-9a-f]{40}$/);
    const ref = await readFile(join(folder(), 'hf', 'hub', 'models--org--tiny', 'refs', 'main'), 'utf8');
    expect(manifest.revision).toBe(ref);
  });

  it('uses the revision that --revision names', async () => {
    const files = Object.fromEntries((await readdir(TINY)).map((name) => [name, readFileSync(join(TINY, name))]));
    await serve({ repos: { 'org/tiny': TINY, 'org/tiny@v1': { ...files, 'README.md': 'The first.' } } });
    const { code } = await runImport('org/tiny', { args: ['--revision', 'v1'] });
    expect(code).toBe(0);
    const manifest = JSON.parse(await readFile(join(folder(), 'out', 'byteify.json'), 'utf8'));
    const ref = await readFile(join(folder(), 'hf', 'hub', 'models--org--tiny', 'refs', 'v1'), 'utf8');
    expect([manifest.model, manifest.revision]).toEqual(['org/tiny@v1', ref]);
  });

  it('reports that the model was renamed', async () => {
    await serve({ renamed: { 'org/old': 'org/tiny' } });
    const { code, stderr } = await runImport('org/old');
    expect(stderr).toContain('org/old is now called org/tiny on the hub.');
    expect(code).toBe(0);
  });

  it('names the page where the licence of a gated model is accepted', async () => {
    await serve({ gated: ['org/tiny'], token: TOKEN });
    const { code, stderr } = await runImport('org/tiny');
    expect(code).toBe(1);
    expect(stderr).toContain('org/tiny is gated: the hub does not let this account read it.');
    expect(stderr).toContain(`${hub!.url}/org/tiny`);
  });

  it.each([
    ['that opens the model', TOKEN, 0],
    ['that the hub refuses', `${TOKEN}2`, 1],
    ['that no header can carry', `${TOKEN}\u0001`, 2],
  ])('never shows the token %s', async (_what, token, expected) => {
    await serve({ gated: ['org/tiny'], token: TOKEN });
    const { code, stdout, stderr, commandLine } = await runImport('org/tiny', { token });
    expect(code).toBe(expected);
    for (const text of [stdout, stderr, commandLine]) expect(text).not.toContain(TOKEN);
    const files = await everyFile(folder());
    if (expected === 0) expect(files.length).toBeGreaterThan(8);
    for (const path of files) expect((await readFile(path)).includes(TOKEN), path).toBe(false);
    const told = hub!.requests.filter(({ authorization }) => authorization !== null);
    expect(new Set(told.map(({ host }) => host)).has('localhost')).toBe(false);
  });
});
