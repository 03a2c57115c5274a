/** @module The names of the devices that byteify computes on. */

/** TensorFlow computes on `cpu`; OpenXLA on the others, through a plugin. `cpu-xla` is for tests of what a GPU would run. */
export const DEVICES = ['cpu', 'cuda', 'rocm', 'cpu-xla'] as const;
export type DeviceName = (typeof DEVICES)[number];
export type PluginDevice = Exclude<DeviceName, 'cpu'>;

export const PLUGIN_DEVICES: readonly PluginDevice[] = ['cuda', 'rocm', 'cpu-xla'];

export const DEVICE_OPTIONS = ['auto', ...DEVICES] as const;
export type DeviceOption = (typeof DEVICE_OPTIONS)[number];
