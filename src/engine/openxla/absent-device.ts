/** @module The CUDA plugin as a compiler for GPUs that are absent. It needs the plugin, ptxas and libdevice: 260 MB to download. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type GpuTarget, gpuTarget } from '../pjrt/gpu-targets.js';
import { loadPlugin } from '../pjrt/plugin.js';
import type { Executable } from '../pjrt/program.js';
import { createTopology } from '../pjrt/topology.js';
import type { FetchOptions } from '../setup/fetch-wheel.js';
import { fetchWheels, withSetUpLock } from '../setup/fetch-wheels.js';
import { engineHome } from '../setup/folders.js';
import { locatePlugin } from '../setup/locate-plugin.js';
import { CUDA_COMPILER_WHEELS, pluginFileIn } from '../setup/plugins.js';
import { pointToCuda, setXlaFlag } from './open-device.js';

/** Devices of one machine; more of them are several machines. */
const DEVICES_PER_MACHINE = 8;

/** @returns the plugin that is set up for a GPU, else one that is downloaded for compiling alone */
export async function setUpCompiler(options: FetchOptions = {}): Promise<string> {
  const known = locatePlugin('cuda');
  if (known !== null) return known;
  const folder = join(engineHome(), 'openxla-cuda-compiler');
  const plugin = pluginFileIn('cuda', folder);
  if (!existsSync(plugin)) await withSetUpLock(() => fetchWheels(CUDA_COMPILER_WHEELS, folder, options));
  return plugin;
}

export interface Compiler {
  readonly target: GpuTarget;
  /** @throws PjrtError when the program is wrong, or the compiler fails */
  compile(text: string): Executable;
  close(): void;
}

/**
 * Opens the compiler for one kind of GPU.
 * @param plugin its file
 * @param name of the GPU, as the plugin describes it
 * @throws ByteifyError when the plugin does not describe it
 */
export function openCompiler(plugin: string, name: string, devices: number): Compiler {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '3';
  pointToCuda(plugin);
  // XLA's own kernel for small sums over devices, in place of NCCL's, does not compile for 64 devices. Only this flag turns it off.
  if (devices > DEVICES_PER_MACHINE) setXlaFlag('xla_gpu_experimental_use_collective_kernels', '-ALL_REDUCE');
  const target = gpuTarget(plugin, name);
  const [machines, each] = [Math.ceil(devices / DEVICES_PER_MACHINE), Math.min(devices, DEVICES_PER_MACHINE)];
  const topology = createTopology(loadPlugin(plugin), {
    topology: `1x${machines}x${each}`,
    target_config: target.text,
  });
  return {
    target,
    compile: (text) => topology.compile(text, { partitions: devices }),
    close: () => topology.destroy(),
  };
}
