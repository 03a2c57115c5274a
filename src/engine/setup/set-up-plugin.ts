/** @module Sets a device of OpenXLA up: downloads its pinned plugin, or records one that is there, and tests it. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ByteifyError, UsageError } from '../../errors.js';
import { writeFileAtomic } from '../../fs/atomic.js';
import { loadPlugin } from '../pjrt/plugin.js';
import type { PluginDevice } from './device-names.js';
import { hasDriver } from './devices.js';
import type { FetchOptions } from './fetch-wheel.js';
import { fetchWheels, withSetUpLock } from './fetch-wheels.js';
import { locatePlugin, ownPluginFile, pluginFolder } from './locate-plugin.js';
import { PLUGINS, pluginFileIn } from './plugins.js';
import { type SelfTest, selfTestDevice } from './self-test.js';

export interface SetUpPluginOptions extends FetchOptions {
  /** Use this plugin and download nothing. */
  readonly plugin?: string;
  /** Accept a plugin that is already set up. */
  readonly ifMissing?: boolean;
  /** Called when the plugin is in place, before it is tested. */
  readonly onTry?: (plugin: string) => void;
  /** Throws when the device does not compute; by default `selfTestDevice`. */
  readonly tryOut?: (device: PluginDevice, plugin: string) => Promise<SelfTest>;
}

export interface PluginSetUp {
  readonly plugin: string;
  /** The version of PJRT's C API. */
  readonly api: string;
  /** Null on a machine without such a device, where the plugin was only loaded. */
  readonly selfTest: SelfTest | null;
}

/** Whether the device can be tested here. */
const isPresent = (device: PluginDevice): boolean => device === 'cpu-xla' || hasDriver(device);

/** The pinned plugin, downloaded if it is missing. */
async function pinnedPlugin(device: PluginDevice, options: FetchOptions): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new ByteifyError(`There is no pinned plugin for ${device} on ${process.platform} ${process.arch}.`, {
      hint: 'Pass the path of a PJRT plugin for this machine with --plugin FILE.',
    });
  }
  const file = pluginFileIn(device, pluginFolder(device));
  if (!existsSync(file)) await fetchWheels(PLUGINS[device].wheels, pluginFolder(device), options);
  return file;
}

function ownPlugin(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return path;
  throw new UsageError(`There is no file ${path}.`, {
    hint: 'JAX’s own installation has xla_cuda_plugin.so in the folder jax_plugins/xla_cuda13 of site-packages.',
  });
}

/**
 * Makes a device ready. The user's own plugin is recorded, or a previous choice forgotten, only after the new one has passed the test.
 * @throws UsageError when `plugin` does not exist; ByteifyError when the plugin cannot be downloaded, verified or loaded, or does not compute
 */
export async function setUpPlugin(device: PluginDevice, options: SetUpPluginOptions = {}): Promise<PluginSetUp> {
  const { plugin: given, ifMissing = false, onTry, tryOut = selfTestDevice } = options;
  return withSetUpLock(async () => {
    const known = ifMissing && given === undefined ? locatePlugin(device) : null;
    const own = given === undefined ? null : ownPlugin(given);
    const plugin = known ?? own ?? (await pinnedPlugin(device, options));
    onTry?.(plugin);
    const { major, minor } = loadPlugin(plugin).version;
    const selfTest = isPresent(device) ? await tryOut(device, plugin) : null;
    if (own !== null) await writeFileAtomic(ownPluginFile(device), `${JSON.stringify({ plugin: own })}\n`);
    else if (known === null) await rm(ownPluginFile(device), { force: true });
    return { plugin, api: `${major}.${minor}`, selfTest };
  });
}
