// The CUDA plugin as a compiler for GPUs that are absent: the plugin, ptxas and libdevice, 260 MB to download, in the engine's cache.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pointToCuda } from '../../dist/engine/openxla/open-device.js';
import { gpuTarget } from '../../dist/engine/pjrt/gpu-targets.js';
import { loadPlugin } from '../../dist/engine/pjrt/plugin.js';
import { createTopology } from '../../dist/engine/pjrt/topology.js';
import { fetchWheels, withSetUpLock } from '../../dist/engine/setup/fetch-wheels.js';
import { engineHome } from '../../dist/engine/setup/folders.js';
import { locatePlugin } from '../../dist/engine/setup/locate-plugin.js';
import { CUDA_COMPILER_WHEELS, pluginFileIn } from '../../dist/engine/setup/plugins.js';

/** The plugin that is set up for a GPU, else one that is downloaded for compiling alone. @returns {Promise<string>} */
export async function findCompiler() {
  const known = locatePlugin('cuda');
  if (known !== null) return known;
  const folder = join(engineHome(), 'openxla-cuda-compiler');
  const plugin = pluginFileIn('cuda', folder);
  if (!existsSync(plugin)) await withSetUpLock(() => fetchWheels(CUDA_COMPILER_WHEELS, folder, {}));
  return plugin;
}

/** Devices of one machine; more are on several. */
const PER_HOST = 8;

/** Opens the compiler for one kind of GPU. @param {string} path of the plugin @param {string} name as the plugin describes it */
export function openCompiler(path, name, devices = 1) {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  pointToCuda(path);
  const target = gpuTarget(path, name);
  const [hosts, each] = [Math.ceil(devices / PER_HOST), Math.min(devices, PER_HOST)];
  const topology = createTopology(loadPlugin(path), {
    topology: `1x${hosts}x${each}`,
    target_config: target.text,
  });
  return {
    target,
    compile: (text) => topology.compile(text, { partitions: devices }),
    close: () => topology.destroy(),
  };
}
