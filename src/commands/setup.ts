/** @module `byteify setup`: fetches, verifies and tries the engine's libraries. */
import { selfTest, setUpEngine } from '../engine/index.js';
import { renderPairs } from '../ui/index.js';
import { type Command, printResult } from './command.js';

interface Args {
  readonly gpu?: boolean;
  readonly libtensorflow?: string;
}

export const setup: Command<Args> = {
  name: 'setup',
  summary: 'fetch the engine’s libraries, verify them, and try them',
  arguments: [],
  options: [
    { flags: '--gpu', help: 'the CUDA build (3.4 GB to download); it also runs without a GPU' },
    { flags: '--libtensorflow <dir>', help: 'use the two libraries in this folder and fetch nothing' },
  ],
  examples: ['byteify setup', 'byteify setup --gpu', 'byteify setup --libtensorflow /opt/tensorflow'],
  async run({ reporter, signal, ...context }, { gpu, libtensorflow }) {
    reporter.stage('Setting the engine up');
    const location = await setUpEngine({
      ...(gpu && { gpu }),
      ...(libtensorflow !== undefined && { libtensorflow }),
      signal,
      onProgress: ({ project, doneBytes, totalBytes }) =>
        reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes', detail: project }),
    });
    reporter.done(`TensorFlow ${location.version}, ${location.build} build`);
    reporter.stage('Trying it');
    const result = await selfTest();
    reporter.done(`a product and a gradient are right, ${result.gflops} GFLOP/s`);
    const document = { folder: location.folder, build: location.build, ...result };
    printResult({ reporter, signal, ...context }, document, () =>
      renderPairs([
        ['libraries', location.folder],
        ['TensorFlow', result.tensorflow],
        ['devices', result.devices.join(', ')],
        ['matrix product', `${result.gflops} GFLOP/s in float32`],
      ]),
    );
  },
};
