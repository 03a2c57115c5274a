/** @module `byteify score`: measures the surprisal of every byte. */
import { bitsPerByte } from '../blt/index.js';
import { resolveCheckpoint } from '../conversion/index.js';
import { openScorer } from '../evaluate/index.js';
import { openResidentModel } from '../model/index.js';
import { humanBytes, renderPairs } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import { readInput } from './read-input.js';
import { type EngineArgs, engineOptions, startEngineFor } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly file?: string;
}

export const score: Command<Args> = {
  name: 'score',
  summary: 'measure the surprisal of every byte under a model',
  arguments: [
    { name: 'dir', help: 'a conversion or a BLT checkpoint folder' },
    { name: 'file', help: 'any file of bytes (default: standard input)', optional: true },
  ],
  options: [...engineOptions],
  examples: ['byteify score llama-blt chapter.txt', 'byteify score llama-blt chapter.txt --json'],
  startsOver: true,
  async run(context, args) {
    const bytes = await readInput(args.file);
    const { folder } = await resolveCheckpoint(args.dir);
    await startEngineFor(args);
    const model = await openResidentModel(folder, { weights: 'float32' });
    const scorer = openScorer(model);
    context.reporter.stage('Scoring');
    const { nllNats, entropyNats, patchLengths } = await scorer.score(bytes, {
      onProgress: (done) => context.reporter.progress({ done, total: bytes.length, unit: 'bytes' }),
      signal: context.signal,
    });
    context.reporter.done();
    scorer.dispose();
    model.dispose();
    const bits = bitsPerByte(
      nllNats.reduce((sum, nats) => sum + nats, 0),
      bytes.length,
    );
    const document = {
      byte_count: bytes.length,
      bits_per_byte: bits,
      nll_nats: Array.from(nllNats),
      entropy_nats: Array.from(entropyNats),
      patch_lengths: patchLengths,
    };
    printResult(context, document, () =>
      renderPairs([
        ['bytes', humanBytes(bytes.length)],
        ['bits per byte', bits.toFixed(4)],
        ['bytes per patch', (bytes.length / (patchLengths.length - 1)).toFixed(2)],
      ]),
    );
  },
};
