/** @module `byteify patch`: shows how a text is segmented into patches. */
import { resolveCheckpoint } from '../conversion/index.js';
import { openResidentModel, openSegmenter } from '../model/index.js';
import { renderPatches, usesColour } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import { readInput } from './read-input.js';
import { type EngineArgs, engineOptions, startEngineFor } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly file?: string;
}

export const patch: Command<Args> = {
  name: 'patch',
  summary: 'show how text is segmented into patches, coloured by entropy',
  arguments: [
    { name: 'dir', help: 'a conversion or a BLT checkpoint folder' },
    { name: 'file', help: 'any file of bytes (default: standard input)', optional: true },
  ],
  options: [...engineOptions],
  examples: ['byteify patch llama-blt README.md', 'echo "Patches follow surprise." | byteify patch llama-blt'],
  startsOver: true,
  async run(context, args) {
    const bytes = await readInput(args.file);
    const { folder } = await resolveCheckpoint(args.dir);
    await startEngineFor(args);
    const model = await openResidentModel(folder, { weights: 'float32', only: 'patcher' });
    const segmenter = openSegmenter(model);
    context.reporter.stage('Segmenting');
    const { patchLengths, entropyNats } = await segmenter.segment(bytes, {
      onProgress: (done) => context.reporter.progress({ done, total: bytes.length, unit: 'bytes' }),
      signal: context.signal,
    });
    context.reporter.done();
    segmenter.dispose();
    model.dispose();
    const bytesPerPatch = bytes.length / (patchLengths.length - 1);
    const document = {
      patch_lengths: patchLengths,
      entropy_nats: Array.from(entropyNats),
      bytes_per_patch: bytesPerPatch,
    };
    printResult(context, document, () => {
      const colour = usesColour(process.stdout, process.env);
      const patches = patchLengths.length - 1;
      const shown = renderPatches({ bytes, patchLengths, entropyNats, colour });
      return `${shown}\n${patches === 1 ? '1 patch' : `${patches} patches`}, ${bytesPerPatch.toFixed(2)} bytes per patch\n`;
    });
  },
};
