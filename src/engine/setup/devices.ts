/** @module Which device computes. Loads nothing. */
import { existsSync } from 'node:fs';
import { ByteifyError, UsageError } from '../../errors.js';
import { DEVICE_OPTIONS, type DeviceName, type DeviceOption, type PluginDevice } from './device-names.js';
import { locatePlugin } from './locate-plugin.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UsageError for a device that does not exist */
export function deviceFromEnvironment(env: Environment = process.env): DeviceOption {
  const asked = env.BYTEIFY_DEVICE || 'auto';
  const found = DEVICE_OPTIONS.find((option) => option === asked);
  if (found !== undefined) return found;
  throw new UsageError(`BYTEIFY_DEVICE is ${asked}, which is no device.`, {
    hint: `The devices are: ${DEVICE_OPTIONS.join(', ')}.`,
  });
}

/** The environment's number of devices. @throws UsageError for what is no such number */
export function deviceCountFromEnvironment(env: Environment = process.env): number {
  const count = Number(env.BYTEIFY_DEVICES || 1);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new UsageError(`BYTEIFY_DEVICES is ${env.BYTEIFY_DEVICES}, which is no number of devices.`);
}

/** Whether the environment asks for weights divided over the devices. */
export const fullyShardedFromEnvironment = (env: Environment = process.env): boolean =>
  !['', '0', 'false'].includes(env.BYTEIFY_FULLY_SHARDED ?? '');

/** What a GPU's driver shows on Linux. */
const DRIVER_FILES = { cuda: ['/dev/nvidiactl', '/dev/dxg'], rocm: ['/dev/kfd'] } as const;

/** Whether this machine has the driver of such a GPU. */
export const hasDriver = (device: 'cuda' | 'rocm'): boolean => DRIVER_FILES[device].some((file) => existsSync(file));

/** The device that an option stands for. `auto` takes a GPU only if its plugin is set up: nothing is downloaded. */
export function chooseDevice(option: DeviceOption): DeviceName {
  if (option !== 'auto') return option;
  const gpus = ['cuda', 'rocm'] as const;
  return gpus.find((gpu) => hasDriver(gpu) && locatePlugin(gpu) !== null) ?? 'cpu';
}

/** @throws ByteifyError when no plugin is set up for the device */
export function requirePlugin(device: PluginDevice): string {
  const path = locatePlugin(device);
  if (path !== null) return path;
  throw new ByteifyError(`No plugin for ${device} is set up on this machine.`, {
    hint: `Run \`byteify setup --device ${device}\` once: it downloads the plugin and tests it. Or pass the path of a plugin with --plugin FILE.`,
  });
}
