import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { chooseDevice, requirePlugin } from '../../src/engine/setup/devices.js';
import { engineHome } from '../../src/engine/setup/folders.js';
import { locatePlugin, ownPluginFile, pluginFolder } from '../../src/engine/setup/locate-plugin.js';
import { pluginFileIn } from '../../src/engine/setup/plugins.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
beforeEach(() => {
  vi.stubEnv('BYTEIFY_HOME', join(folder(), 'home'));
  mkdirSync(engineHome(), { recursive: true });
});
afterEach(() => vi.unstubAllEnvs());

it('the automatic device is the CPU unless a plugin is set up for a GPU that is there', () => {
  expect(chooseDevice('auto')).toBe('cpu');
  expect(chooseDevice('cuda')).toBe('cuda');
});

it('a device without a plugin is refused, with the command that sets it up', async () => {
  expect(() => requirePlugin('rocm')).toThrow('No plugin for rocm is set up on this machine.');
  await expect(startEngine({ device: 'cuda' })).rejects.toMatchObject({
    hint: expect.stringContaining('byteify setup --device cuda'),
  });
});

it('the user’s own plugin comes before the downloaded one, as long as it exists', () => {
  const pinned = pluginFileIn('cuda', pluginFolder('cuda'));
  const own = join(folder(), 'own.so');
  mkdirSync(dirname(pinned), { recursive: true });
  for (const path of [pinned, own]) writeFileSync(path, 'no library');
  expect(locatePlugin('cuda')).toBe(pinned);
  writeFileSync(ownPluginFile('cuda'), JSON.stringify({ plugin: own }));
  expect(locatePlugin('cuda')).toBe(own);
  writeFileSync(ownPluginFile('cuda'), JSON.stringify({ plugin: join(folder(), 'gone.so') }));
  expect(locatePlugin('cuda')).toBe(pinned);
});

it.each([
  ['a file that does not exist', 'missing.so', /^There is no file .*missing.so/],
  ['a file that is no library', 'text.so', /text.so cannot be loaded: /],
])('%s is no plugin', async (_what, name, message) => {
  const plugin = join(folder(), name);
  if (name === 'text.so') writeFileSync(plugin, 'no library');
  await expect(startEngine({ device: 'cuda', plugin })).rejects.toThrow(message);
});
