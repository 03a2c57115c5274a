/** @module Checks of the engine: its libraries, the bridge to them, and its speed. */

import { PLUGIN_DEVICES, type PluginDevice } from '../../engine/setup/device-names.js';
import { type EngineLocation, locateEngine } from '../../engine/setup/locate.js';
import { locatePlugin } from '../../engine/setup/locate-plugin.js';
import { type Machine, supportOf, thisMachine } from '../../engine/setup/machine.js';
import { selfTestOf } from '../../engine/setup/self-test-record.js';
import { messageOf } from '../../errors.js';
import type { Check } from './check.js';

/** Checks that the libraries are installed, and that they have passed their self-test since they last changed. */
export function checkEngine(machine: Machine = thisMachine()): Check {
  const engine = locateEngine();
  if (engine === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: "TensorFlow's libraries are not installed",
      mend:
        supportOf(machine).advice?.hint ??
        'byteify setup (or byteify setup --libtensorflow DIR to use an existing copy)',
    };
  }
  const test = selfTestOf(engine.folder);
  if (test === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: `TensorFlow ${engine.version} in ${engine.folder} has not been tested yet`,
      mend: `byteify setup${flagsFor(engine)}`,
    };
  }
  return {
    name: 'engine',
    required: true,
    ok: true,
    detail: `TensorFlow ${test.tensorflow}, ${Math.round(test.gflops)} GFLOP/s, in ${engine.folder}`,
    mend: null,
  };
}

/** The flags with which `byteify setup` keeps these libraries. */
function flagsFor({ build, folder }: EngineLocation): string {
  return build === 'own' ? ` --libtensorflow ${folder}` : '';
}

/** What is known of the kernels for attention. */
const KERNELS = {
  true: 'its kernels for attention are right',
  false: 'its kernels for attention fail here and are not used',
  null: 'its kernels for attention will be checked at the first start on a GPU',
} as const;

/** Checks a plugin that is set up: that it loads, and which version of PJRT's C API it implements. */
async function checkPlugin(device: PluginDevice, path: string): Promise<Check> {
  const check = { name: `plugin, ${device}`, required: false };
  try {
    const { loadPlugin } = await import('../../engine/pjrt/plugin.js');
    const { tritonCheckOf } = await import('../../engine/openxla/triton-check.js');
    const { major, minor } = loadPlugin(path).version;
    const attention = device === 'cuda' ? `; ${KERNELS[`${tritonCheckOf(device, path)}`]}` : '';
    return { ...check, ok: true, detail: `PJRT C API ${major}.${minor}, ${path}${attention}`, mend: null };
  } catch (error) {
    return {
      ...check,
      ok: false,
      detail: messageOf(error).split('\n', 1)[0] ?? '',
      mend: `byteify setup --device ${device}`,
    };
  }
}

/** Checks the plugins that are set up. */
export function checkPlugins(): Promise<Check[]> {
  const found = PLUGIN_DEVICES.flatMap((device) => {
    const path = locatePlugin(device);
    return path === null ? [] : [checkPlugin(device, path)];
  });
  return Promise.all(found);
}

/** Checks that koffi loads. It ships one binary per platform, so node_modules from another platform lack the right one. */
export async function checkBridge(): Promise<Check> {
  const check = { name: 'koffi', required: true };
  try {
    const { default: koffi } = await import('koffi');
    return { ...check, ok: true, detail: `${koffi.version} loads`, mend: null };
  } catch (error) {
    return {
      ...check,
      ok: false,
      detail: messageOf(error).split('\n', 1)[0] ?? '',
      mend: 'run npm install on this machine',
    };
  }
}
