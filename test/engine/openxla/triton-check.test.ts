import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { tritonCheckOf, tritonWorks } from '../../../src/engine/openxla/triton-check.js';

const folders: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An engine's folder of its own, with a file that stands for a plugin. */
function homeWithPlugin(): { readonly home: string; readonly plugin: string } {
  const home = mkdtempSync(join(tmpdir(), 'byteify-triton-'));
  folders.push(home);
  vi.stubEnv('BYTEIFY_HOME', home);
  const plugin = join(home, 'plugin.so');
  writeFileSync(plugin, 'a plugin');
  return { home, plugin };
}

describe('whether a GPU runs the kernels', () => {
  it.each([true, false])('is found out once: %s', async (works) => {
    const { plugin } = homeWithPlugin();
    const run = vi.fn(async () => works);
    expect(tritonCheckOf('cuda', plugin)).toBe(null);
    expect(await tritonWorks('cuda', plugin, run)).toBe(works);
    expect(await tritonWorks('cuda', plugin, run)).toBe(works);
    expect(run).toHaveBeenCalledTimes(1);
    expect(tritonCheckOf('cuda', plugin)).toBe(works);
  });

  it('is found out again with another plugin or another choice of GPUs', async () => {
    const { plugin } = homeWithPlugin();
    await tritonWorks('cuda', plugin, async () => true);
    writeFileSync(plugin, 'a newer plugin');
    expect(tritonCheckOf('cuda', plugin)).toBe(null);
    await tritonWorks('cuda', plugin, async () => true);
    vi.stubEnv('CUDA_VISIBLE_DEVICES', '1');
    expect(tritonCheckOf('cuda', plugin)).toBe(null);
  });

  it('is not recorded if it could not be found out', async () => {
    const { home, plugin } = homeWithPlugin();
    expect(await tritonWorks('cuda', plugin, async () => null)).toBe(false);
    expect(readdirSync(home, { recursive: true })).not.toContain('triton-check.json');
    expect(tritonCheckOf('cuda', plugin)).toBe(null);
  });
});
