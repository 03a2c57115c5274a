// Opens the GPU through the plugin that is set up, and says what was found.
import { startEngine } from '../../../dist/engine/index.js';
import { loadPlugin } from '../../../dist/engine/pjrt/plugin.js';
import { requirePlugin } from '../../../dist/engine/setup/devices.js';

/** @param {{ device: 'cuda' | 'cpu-xla', gpu: import('../nvidia-smi.mjs').Gpu }} options @returns {Promise<import('../verdict.mjs').Result[]>} */
export async function check({ device, gpu }) {
  const path = requirePlugin(device);
  const { major, minor } = loadPlugin(path).version;
  const engine = await startEngine({ device });
  const memory = gpu.totalBytes === null ? 'memory unknown' : `${(gpu.totalBytes / 1e9).toFixed(1)} GB`;
  const card = `${gpu.name}, ${memory}, driver ${gpu.driver}, compute capability ${gpu.computeCapability ?? 'unknown'}`;
  return [
    {
      name: 'plugin',
      ok: true,
      detail: `PJRT C API ${major}.${minor}, ${engine.version}; ${card}`,
      figures: {
        plugin: path,
        api_version: `${major}.${minor}`,
        platform_version: engine.version,
        devices: engine.devices.map(({ type }) => type),
      },
    },
  ];
}
