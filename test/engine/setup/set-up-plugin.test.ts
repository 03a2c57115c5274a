import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PinnedWheel } from '../../../src/engine/setup/libraries.js';
import { locatePlugin, ownPluginFile, pluginFolder } from '../../../src/engine/setup/locate-plugin.js';
import { setUpPlugin } from '../../../src/engine/setup/set-up-plugin.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { startWheelIndex, type WheelIndex } from '../../support/wheel-index.js';

/** The file of the stub wheel that takes the place of the plugin. */
const FILE = 'tensorflow/libtensorflow_cc.so.2';
const pinned = vi.hoisted(() => ({ wheel: null as unknown }));
vi.mock('../../../src/engine/setup/plugins.js', () => ({
  PLUGINS: {
    get 'cpu-xla'() {
      return { file: 'unused', wheels: [pinned.wheel as PinnedWheel] };
    },
  },
  pluginFileIn: (_device: string, folder: string) => join(folder, 'tensorflow/libtensorflow_cc.so.2'),
}));
const loaded = vi.hoisted(() => ({ paths: [] as string[] }));
vi.mock('../../../src/engine/pjrt/plugin.js', async (original) => ({
  ...(await original<typeof import('../../../src/engine/pjrt/plugin.js')>()),
  loadPlugin: (path: string) => {
    loaded.paths.push(path);
    return { version: { major: 0, minor: 114 } };
  },
}));

const RESULT = { tensorflow: 'cpu', devices: ['cpu'], gflops: 10, onednn: null };
const folder = temporaryFolder();
let index: WheelIndex;
const tryOut = async () => RESULT;

beforeEach(async () => {
  vi.stubEnv('BYTEIFY_HOME', join(folder(), 'home'));
  index = await startWheelIndex(join(folder(), 'index'));
  pinned.wheel = index.wheel;
  vi.stubEnv('PATH', [join(folder(), 'index'), process.env.PATH].join(delimiter));
  loaded.paths = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await index.close();
});

async function ownPlugin(): Promise<string> {
  const path = join(folder(), 'own.so');
  await writeFile(path, 'a plugin');
  return path;
}

describe('setting a device up', () => {
  it('downloads the plugin once, and tests it', async () => {
    const tried: string[] = [];
    const done = await setUpPlugin('cpu-xla', { tryOut, onTry: (plugin) => tried.push(plugin) });
    const plugin = join(pluginFolder('cpu-xla'), FILE);
    expect(done).toEqual({ plugin, api: '0.114', selfTest: RESULT });
    expect([tried, loaded.paths]).toEqual([[plugin], [plugin]]);
    await setUpPlugin('cpu-xla', { tryOut });
    expect(index.ranges).toHaveLength(1);
    expect(locatePlugin('cpu-xla')).toBe(plugin);
  });

  it('records the user’s own plugin, until the pinned one is asked for', async () => {
    const plugin = await ownPlugin();
    await setUpPlugin('cpu-xla', { plugin, tryOut });
    expect(JSON.parse(await readFile(ownPluginFile('cpu-xla'), 'utf8'))).toEqual({ plugin });
    expect(locatePlugin('cpu-xla')).toBe(plugin);
    expect((await setUpPlugin('cpu-xla', { ifMissing: true, tryOut })).plugin).toBe(plugin);
    expect(index.ranges).toEqual([]);
    await setUpPlugin('cpu-xla', { tryOut });
    expect(existsSync(ownPluginFile('cpu-xla'))).toBe(false);
  });

  it('does not record a plugin that does not compute', async () => {
    const plugin = await ownPlugin();
    const fails = () => Promise.reject(new Error('wrong product'));
    await expect(setUpPlugin('cpu-xla', { plugin, tryOut: fails })).rejects.toThrow('wrong product');
    expect(locatePlugin('cpu-xla')).toBeNull();
  });

  it('refuses a plugin that does not exist', async () => {
    const plugin = join(folder(), 'missing.so');
    await expect(setUpPlugin('cpu-xla', { plugin, tryOut })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('missing.so'),
    });
  });

  it('refuses a download with other bytes, and leaves nothing that would be taken for the plugin', async () => {
    pinned.wheel = { ...index.wheel, sha256: '0'.repeat(64) };
    await expect(setUpPlugin('cpu-xla', { tryOut })).rejects.toThrow('sha256');
    expect(locatePlugin('cpu-xla')).toBeNull();
  });
});
