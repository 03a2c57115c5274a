/** @module Opens a device through its plugin. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ByteifyError, messageOf } from '../../errors.js';
import { koffi, openLibrary } from '../c-library.js';
import type { Runtime } from '../executor.js';
import { type Client, createClient } from '../pjrt/client.js';
import type { NamedValue } from '../pjrt/named-values.js';
import { loadPlugin, type Plugin } from '../pjrt/plugin.js';
import type { PluginDevice } from '../setup/device-names.js';
import { requirePlugin } from '../setup/devices.js';
import { blockSignals, blockSignalsInPool } from '../signal-mask.js';
import { createOpenXlaRuntime } from './runtime.js';
import type { Layout } from './split.js';
import { tritonWorks } from './triton-check.js';

/** GPUs: memory is taken as it is needed, up to the given share of it. */
const GPU_OPTIONS = { allocator: 'bfc', preallocate: false, memory_fraction: 0.92 } as const;

/** Options of a client for so many devices. A CPU counts as one unless more are asked for, which then share it. */
const CLIENT_OPTIONS: Readonly<Record<PluginDevice, (devices: number) => Readonly<Record<string, NamedValue>>>> = {
  cuda: () => GPU_OPTIONS,
  rocm: () => GPU_OPTIONS,
  'cpu-xla': (devices) => ({ cpu_device_count: BigInt(devices) }),
};

/** Where JAX's plugin and NVIDIA's wheels are, relative to the folder that both are installed to. */
const cudaFolder = (plugin: string) => join(dirname(plugin), '../../nvidia/cu13');
const LIBRARY_FOLDERS = ['cu13/lib', 'cudnn/lib', 'nccl/lib'];
/** In the order in which they need each other. The plugin opens them by name; these are then the ones that it finds. */
const LIBRARIES = ['cudart', 'nvrtc', 'nvJitLink', 'cublasLt', 'cublas', 'cudnn', 'nccl'];

/** Sets one of XLA's flags, which it reads when it first needs one. The user's own value takes precedence. */
export function setXlaFlag(name: string, value: string): void {
  const flags = process.env.XLA_FLAGS ?? '';
  if (!flags.includes(name)) process.env.XLA_FLAGS = `${flags} --${name}=${value}`.trim();
}

/** Lets XLA find ptxas and libdevice. */
export function pointToCuda(plugin: string): void {
  const folder = cudaFolder(plugin);
  if (existsSync(folder)) setXlaFlag('xla_gpu_cuda_data_dir', folder);
}

function preloadCuda(plugin: string): void {
  const root = dirname(cudaFolder(plugin));
  const folders = LIBRARY_FOLDERS.map((folder) => join(root, folder)).filter((folder) => existsSync(folder));
  const files = folders.flatMap((folder) => readdirSync(folder).map((file) => ({ folder, file })));
  for (const name of LIBRARIES) {
    const found = files.find(({ file }) => file.startsWith(`lib${name}.so.`));
    try {
      if (found !== undefined) openLibrary(join(found.folder, found.file), { ownSymbols: true });
    } catch {
      // The plugin looks for it elsewhere, and says so if it finds none.
    }
  }
}

/** What the plugin's own words mean, and what to do. */
const CAUSES: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  {
    pattern: /no visible gpu|no device|CUDA_ERROR_NO_DEVICE|unknown error.*cuInit|libcuda/i,
    hint: 'Check `nvidia-smi`: it must list a GPU. Use --device cpu to compute on the CPU.',
  },
  {
    pattern: /driver version is insufficient|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|driver/i,
    hint: 'Update NVIDIA’s driver: CUDA 13 needs version 580 or newer.',
  },
  {
    pattern: /out of memory|RESOURCE_EXHAUSTED/i,
    hint: 'Another process may use the device’s memory: `nvidia-smi` lists them.',
  },
];

function openClient(device: PluginDevice, plugin: Plugin, { devices }: Layout): Client {
  try {
    const client = createClient(plugin, CLIENT_OPTIONS[device](devices));
    if (client.devices.length === 0) throw new Error('no device');
    return client;
  } catch (cause) {
    const said = messageOf(cause);
    throw new ByteifyError(`The plugin ${plugin.path} cannot use a device: ${said.split('\n')[0]}`, {
      hint: CAUSES.find(({ pattern }) => pattern.test(said))?.hint ?? 'Run `byteify doctor` to see what is missing.',
      cause,
    });
  }
}

/**
 * Opens the first devices of a kind, as many as the layout has.
 * @param options.plugin its file; the one that `byteify setup` recorded when undefined
 * @param options.triton whether it runs Triton; found out when undefined
 * @throws ByteifyError when there is no plugin, or it finds too few devices
 */
export async function openDevice(
  device: PluginDevice,
  layout: Layout,
  options: { readonly plugin?: string | undefined; readonly triton?: boolean | undefined } = {},
): Promise<Runtime> {
  const path = options.plugin ?? requirePlugin(device);
  const triton = options.triton ?? (device === 'cuda' && (await tritonWorks(device, path)));
  // XLA and cuDNN log to stderr from this level on. The user's own value takes precedence.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (device === 'cuda') {
    pointToCuda(path);
    preloadCuda(path);
  }
  const libc = koffi().load(null);
  blockSignals(libc as never);
  const client = openClient(device, loadPlugin(path), layout);
  if (client.devices.length < layout.devices) {
    throw new ByteifyError(`${layout.devices} devices were asked for, but the plugin finds ${client.devices.length}.`, {
      hint: `Pass --devices ${client.devices.length} or fewer.`,
    });
  }
  await blockSignalsInPool(libc as never);
  return createOpenXlaRuntime(client, { layout, triton, leave: libc.func('void _exit(int exitCode)') });
}
