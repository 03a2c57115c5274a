/** @module `byteify setup`: downloads, verifies and tests the engine's libraries. */
import { setUpEngine } from '../engine/index.js';
import { renderPairs } from '../ui/index.js';
import { type Command, printResult } from './command.js';

interface Args {
  readonly gpu?: boolean;
  readonly libtensorflow?: string;
  readonly ifMissing?: boolean;
}

export const setup: Command<Args> = {
  name: 'setup',
  summary: 'download the engine’s libraries, verify them, and test them',
  arguments: [],
  options: [
    {
      flags: '--gpu',
      help: 'use the CUDA build, for Linux on x86-64 (3.4 GB to download); it also runs without a GPU',
    },
    { flags: '--libtensorflow <dir>', help: 'use the two libraries in this folder and download nothing' },
    { flags: '--if-missing', help: 'download nothing if any build of the engine is already set up' },
  ],
  examples: ['byteify setup', 'byteify setup --gpu', 'byteify setup --libtensorflow /opt/tensorflow'],
  async run(context, { gpu, libtensorflow, ifMissing }) {
    const { reporter, signal } = context;
    reporter.stage('Setting the engine up');
    const { folder, build, selfTest } = await setUpEngine({
      ...(gpu && { gpu }),
      ...(libtensorflow !== undefined && { libtensorflow }),
      ...(ifMissing && { ifMissing }),
      signal,
      onProgress: ({ project, doneBytes, totalBytes }) =>
        reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: project }),
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
      ]),
    );
  },
};
