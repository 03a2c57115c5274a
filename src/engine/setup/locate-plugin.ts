/** @module Locates the plugins that `byteify setup` downloaded or was told of. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { PluginDevice } from './device-names.js';
import { engineHome } from './folders.js';
import { pluginFileIn } from './plugins.js';

const ownSchema = z.object({ plugin: z.string() });

/** The file that names a plugin of the user's own (`byteify setup --device DEVICE --plugin FILE`). */
export const ownPluginFile = (device: PluginDevice): string => join(engineHome(), `plugin-${device}.json`);

/** The folder that the pinned plugin of a device is unpacked to. */
export const pluginFolder = (device: PluginDevice): string => join(engineHome(), `openxla-${device}`);

function ownPlugin(device: PluginDevice): string | null {
  try {
    return ownSchema.parse(JSON.parse(readFileSync(ownPluginFile(device), 'utf8'))).plugin;
  } catch {
    return null;
  }
}

/** The user's own plugin, else the downloaded one; null when there is neither. */
export function locatePlugin(device: PluginDevice): string | null {
  const own = ownPlugin(device);
  if (own !== null && existsSync(own)) return own;
  const pinned = pluginFileIn(device, pluginFolder(device));
  return existsSync(pinned) ? pinned : null;
}
