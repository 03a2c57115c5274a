/** @module `byteify setup`: downloads, verifies and tests the engine's libraries, or the plugin of a device. */
import { type PluginDevice, setUpEngine, setUpPlugin } from '../engine/index.js';
import { UsageError } from '../errors.js';
import { renderPairs } from '../ui/index.js';
import { type Command, type Context, printResult } from './command.js';

interface Args {
  readonly gpu?: boolean;
  readonly device?: PluginDevice | 'cpu';
  readonly plugin?: string;
  readonly libtensorflow?: string;
  readonly ifMissing?: boolean;
}

/** Downloads report their progress, and stop with the command. */
const fetchOptions = ({ reporter, signal }: Context) => ({
  signal,
  onProgress: ({ project, doneBytes, totalBytes }: { project: string; doneBytes: number; totalBytes: number }) =>
    reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: project }),
});

/** The device that is set up. @throws UsageError for options that exclude each other */
function deviceOf({ gpu, device, plugin, libtensorflow }: Args): PluginDevice | 'cpu' {
  if (gpu && device !== undefined && device !== 'cuda') {
    throw new UsageError(`--gpu and --device ${device} exclude each other.`, { hint: '--gpu is --device cuda.' });
  }
  const chosen = device ?? (gpu ? 'cuda' : 'cpu');
  if (chosen === 'cpu' && plugin !== undefined) {
    throw new UsageError('--plugin needs the device that the plugin is for.', {
      hint: 'Add --device cuda, rocm or cpu-xla.',
    });
  }
  if (chosen !== 'cpu' && libtensorflow !== undefined) {
    throw new UsageError('--libtensorflow is for the CPU, which TensorFlow computes on.', {
      hint: 'Use --plugin FILE for other devices.',
    });
  }
  return chosen;
}

export const setup: Command<Args> = {
  name: 'setup',
  summary: 'download the engine’s libraries, verify them, and test them',
  arguments: [],
  options: [
    { flags: '--gpu', help: 'set up NVIDIA GPUs (1.6 GB to download): the same as --device cuda' },
    {
      flags: '--device <name>',
      help: 'the device to set up (default: cpu)',
      choices: ['cpu', 'cuda', 'rocm', 'cpu-xla'],
    },
    { flags: '--plugin <file>', help: 'use this PJRT plugin for the device and download nothing' },
    { flags: '--libtensorflow <dir>', help: 'use the two libraries in this folder and download nothing' },
    { flags: '--if-missing', help: 'download nothing if the engine is already set up' },
  ],
  examples: [
    'byteify setup',
    'byteify setup --gpu',
    'byteify setup --device cuda --plugin site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so',
    'byteify setup --libtensorflow /opt/tensorflow',
  ],
  async run(context, args) {
    const device = deviceOf(args);
    context.reporter.stage('Setting the engine up');
    await (device === 'cpu' ? setUpCpu(context, args) : setUpDevice(context, device, args));
  },
};

async function setUpCpu(context: Context, { libtensorflow, ifMissing }: Args): Promise<void> {
  const { reporter } = context;
  const { folder, build, selfTest } = await setUpEngine({
    ...fetchOptions(context),
    ...(libtensorflow !== undefined && { libtensorflow }),
    ...(ifMissing && { ifMissing }),
    onTry: (location) => {
      reporter.done(`TensorFlow ${location.version}, ${location.build} build`);
      reporter.stage('Testing it');
    },
  });
  reporter.done(`a matrix product and a gradient are correct, ${selfTest.gflops} GFLOP/s`);
  printResult(context, { folder, build, ...selfTest }, () =>
    renderPairs([
      ['libraries', folder],
      ['TensorFlow', selfTest.tensorflow],
      ['devices', selfTest.devices.join(', ')],
      ['matrix product', `${selfTest.gflops} GFLOP/s in float32`],
      ...(selfTest.onednn === null
        ? []
        : [['oneDNN', selfTest.onednn ? 'on: measured to be faster' : 'off: measured to be slower'] as const]),
    ]),
  );
}

async function setUpDevice(context: Context, device: PluginDevice, { plugin: file, ifMissing }: Args): Promise<void> {
  const { reporter } = context;
  const { plugin, api, selfTest } = await setUpPlugin(device, {
    ...fetchOptions(context),
    ...(file !== undefined && { plugin: file }),
    ...(ifMissing && { ifMissing }),
    onTry: () => {
      reporter.done(`plugin for ${device}`);
      reporter.stage('Testing it');
    },
  });
  reporter.done(
    selfTest === null
      ? 'the plugin loads; this machine has no such device to test it on'
      : `a matrix product and a gradient are correct, ${selfTest.gflops} GFLOP/s`,
  );
  const { devices = [], gflops = null } = selfTest ?? {};
  printResult(context, { device, plugin, api_version: api, devices, gflops }, () =>
    renderPairs([
      ['plugin', plugin],
      ['PJRT C API', api],
      ['devices', devices.length === 0 ? 'none here' : devices.join(', ')],
      ...(gflops === null ? [] : [['matrix product', `${gflops} GFLOP/s in float32`] as const]),
    ]),
  );
}
