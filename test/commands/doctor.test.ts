import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Check } from '../../src/commands/doctor/check.js';
import { checkEngine } from '../../src/commands/doctor/check-engine.js';
import { checkHubCache, checkHubToken } from '../../src/commands/doctor/check-hub.js';
import { checkGpu, checkMemory, checkNode, checkPlatform } from '../../src/commands/doctor/check-machine.js';
import { doctor } from '../../src/commands/doctor.js';
import { LIBRARY_FILES } from '../../src/engine/setup/libraries.js';
import { recordSelfTest } from '../../src/engine/setup/self-test-record.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('doctor', () => {
  it('fails with the name of the engine and a remedy if it is missing', async () => {
    vi.stubEnv('BYTEIFY_HOME', folder());
    const { stdout, error } = await runCommand(doctor, {}, { json: true });
    const { ready, checks } = JSON.parse(stdout) as { ready: boolean; checks: Check[] };
    expect(ready).toBe(false);
    expect(checks.find(({ name }) => name === 'engine')).toMatchObject({ required: true, ok: false });
    expect(error).toMatchObject({
      message: 'This machine is missing: engine.',
      hint: expect.stringContaining('byteify setup'),
      exitCode: 1,
    });
  });

  it('passes if the engine is installed, and shows its measured speed', async () => {
    vi.stubEnv('BYTEIFY_HOME', folder());
    const own = join(folder(), 'own');
    await mkdir(own);
    for (const name of LIBRARY_FILES) await writeFile(join(own, name), '');
    await recordSelfTest(own, { tensorflow: '2.21.0', devices: [], gflops: 141.4, onednn: null });
    await writeFile(join(folder(), 'engine', 'libtensorflow.json'), JSON.stringify({ folder: own }));
    const { stdout, error } = await runCommand(doctor, {});
    expect(error).toBeNull();
    expect(stdout).toMatch(/^ok +engine +TensorFlow 2\.21\.0, 141 GFLOP\/s/m);
    expect(stdout).toMatch(/^ok +koffi +3\./m);
  });

  it('recommends a test of libraries that were never tested, or were replaced', async () => {
    vi.stubEnv('BYTEIFY_HOME', folder());
    const own = join(folder(), 'own');
    await mkdir(own);
    const files = LIBRARY_FILES.map((name) => join(own, name));
    for (const file of files) await writeFile(file, '');
    await mkdir(join(folder(), 'engine'));
    await writeFile(join(folder(), 'engine', 'libtensorflow.json'), JSON.stringify({ folder: own }));
    // As an earlier version wrote it, without the libraries.
    await writeFile(join(folder(), 'engine', 'self-test.json'), '{"gflops": 141.4}');
    const untested = {
      ok: false,
      detail: expect.stringContaining('not been tested'),
      mend: `byteify setup --libtensorflow ${own}`,
    };
    expect(checkEngine()).toMatchObject(untested);
    await recordSelfTest(own, { tensorflow: '2.21.0', devices: [], gflops: 141.4, onednn: null });
    expect(checkEngine()).toMatchObject({ ok: true });
    await writeFile(files[1]!, 'an upgrade');
    expect(checkEngine()).toMatchObject(untested);
  });

  it('never prints a token', async () => {
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    const { stdout } = await runCommand(doctor, {}, { json: true });
    expect(stdout).toContain('from HF_TOKEN');
    expect(stdout).not.toContain('hf_secret');
  });
});

describe('the single checks', () => {
  it.each([
    ['18.20.0', false],
    ['20.18.3', false],
    ['20.19.0', true],
    ['22.1.0', true],
  ])('judge Node %s', (version, ok) => {
    expect(checkNode(version)).toMatchObject({ ok, required: true });
    expect(checkNode(version).mend === null).toBe(ok);
  });

  it('say what to do on a machine without pinned libraries', () => {
    const windows = { platform: 'win32', arch: 'x64', libc: null } as const;
    expect(checkPlatform(windows)).toMatchObject({ required: true, ok: false, mend: expect.stringContaining('WSL 2') });
    expect(checkPlatform({ platform: 'linux', arch: 'x64', libc: 'musl' })).toMatchObject({
      required: true,
      ok: false,
    });
    expect(checkPlatform({ platform: 'darwin', arch: 'x64', libc: null })).toMatchObject({
      required: false,
      ok: false,
      mend: expect.stringContaining('--libtensorflow DIR'),
    });
    expect(checkPlatform({ platform: 'darwin', arch: 'arm64', libc: null })).toMatchObject({
      ok: true,
      detail: 'macOS on Apple silicon',
      mend: null,
    });
    vi.stubEnv('BYTEIFY_HOME', folder());
    expect(checkEngine(windows).mend).toContain('WSL 2');
  });

  it('warn of little memory', () => {
    expect(checkMemory(1e9, 8e9)).toMatchObject({ ok: false, required: false });
    expect(checkMemory(4e9, 8e9)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('4.00 GB free of 8.00 GB'),
    });
  });

  it.runIf(process.platform !== 'win32')('read the output of nvidia-smi, and work without it', async () => {
    vi.stubEnv('PATH', folder());
    expect(await checkGpu()).toMatchObject({ ok: false, required: false });
    await writeFile(join(folder(), 'nvidia-smi'), '#!/bin/sh\necho "NVIDIA H100, 81559 MiB"\n', { mode: 0o755 });
    expect(await checkGpu()).toMatchObject({ ok: true, detail: 'NVIDIA H100, 81559 MiB' });
  });

  it('look for the token and the cache where huggingface_hub does', async () => {
    const env = { HF_HOME: folder() };
    expect(checkHubToken(env)).toMatchObject({ ok: false });
    await writeFile(join(folder(), 'token'), 'hf_x\n');
    expect(checkHubToken(env)).toMatchObject({ ok: true, detail: 'from `hf auth login`' });
    expect(await checkHubCache({ ...env, HF_HUB_OFFLINE: '1' })).toMatchObject({
      ok: true,
      detail: `${join(folder(), 'hub')} (not created yet), offline`,
    });
  });
});
