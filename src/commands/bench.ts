/** @module `byteify bench train-step`: measures the cost of one training step. */
import { resolveCheckpoint } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { benchTrainStep } from '../finetune/index.js';
import { humanBytes, renderPairs } from '../ui/index.js';
import { type Command, type CommandGroup, parsers, printResult } from './command.js';
import { type EngineArgs, engineOptions, startEngineFor } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir?: string;
  readonly batch: number;
  readonly bytes: number;
  readonly steps: number;
  readonly mode: 'graph' | 'xla' | 'eager';
  readonly bytesPerPatch?: number;
}

const trainStep: Command<Args> = {
  name: 'train-step',
  summary: 'measure the time, bytes per second and peak memory of a training step',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder', optional: true }],
  options: [
    { flags: '--batch <b>', help: 'rows per step', parse: parsers.integer(1), default: 4 },
    { flags: '--bytes <t>', help: 'positions per row', parse: parsers.integer(16), default: 1024 },
    {
      flags: '--steps <n>',
      help: 'number of timed steps, after one untimed warm-up step',
      parse: parsers.integer(1),
      default: 3,
    },
    { flags: '--mode <mode>', help: 'how to run the step', choices: ['graph', 'xla', 'eager'], default: 'graph' },
    {
      flags: '--bytes-per-patch <n>',
      help: 'use patches of this size; by default the model’s own patcher segments synthetic text',
      parse: parsers.integer(1),
    },
    ...engineOptions,
  ],
  examples: ['byteify bench train-step llama-blt --batch 4 --bytes 1024 --steps 5 --json'],
  async run(context, args) {
    if (args.dir === undefined) {
      throw new UsageError('No model was named, so there is no training step to time.', {
        hint: 'Make one with `byteify demo`, then run: byteify bench train-step byteify-demo (npm run bench:train-step -- byteify-demo).',
      });
    }
    const { folder } = await resolveCheckpoint(args.dir);
    await startEngineFor(args);
    context.reporter.stage('Timing training steps');
    const result = await benchTrainStep(folder, {
      rows: args.batch,
      rowBytes: args.bytes,
      steps: args.steps,
      mode: args.mode,
      bytesPerPatch: args.bytesPerPatch ?? null,
      signal: context.signal,
      onStep: (done) => context.reporter.progress({ done, total: args.steps, unit: 'steps' }),
    });
    context.reporter.done();
    const document = {
      step_ms: result.stepMs,
      bytes_per_second: result.bytesPerSecond,
      peak_rss_bytes: result.peakRssBytes,
      loss: result.loss,
    };
    printResult(context, document, () =>
      renderPairs([
        ['step time', `${result.stepMs.map((ms) => ms.toFixed(0)).join(', ')} ms`],
        ['bytes per second', result.bytesPerSecond.toFixed(0)],
        ['peak memory', humanBytes(result.peakRssBytes)],
        ['last loss', `${result.loss.toFixed(4)} nats`],
      ]),
    );
  },
};

export const bench: CommandGroup = { name: 'bench', summary: 'measure this machine', commands: [trainStep] };
