/** @module `byteify bench train-step`: what one training step costs. */
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
  summary: 'time, bytes a second and peak memory of a training step',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder', optional: true }],
  options: [
    { flags: '--batch <b>', help: 'rows a step', parse: parsers.integer(1), default: 4 },
    { flags: '--bytes <t>', help: 'positions a row', parse: parsers.integer(16), default: 1024 },
    {
      flags: '--steps <n>',
      help: 'steps that are timed, after one that is not',
      parse: parsers.integer(1),
      default: 3,
    },
    { flags: '--mode <mode>', help: 'how the step runs', choices: ['graph', 'xla', 'eager'], default: 'graph' },
    {
      flags: '--bytes-per-patch <n>',
      help: 'patches of this size; without it, the model’s own patcher cuts made-up text',
      parse: parsers.integer(1),
    },
    ...engineOptions,
  ],
  examples: ['byteify bench train-step llama-blt --batch 4 --bytes 1024 --steps 5 --json'],
  async run(context, args) {
    if (args.dir === undefined) {
      throw new UsageError('No model was named whose training step is to be timed.', {
        hint: 'Make one with `byteify demo`, then: byteify bench train-step byteify-demo (npm run bench:train-step -- byteify-demo).',
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
        ['a step', `${result.stepMs.map((ms) => ms.toFixed(0)).join(', ')} ms`],
        ['bytes a second', result.bytesPerSecond.toFixed(0)],
        ['peak memory', humanBytes(result.peakRssBytes)],
        ['last loss', `${result.loss.toFixed(4)} nats`],
      ]),
    );
  },
};

export const bench: CommandGroup = { name: 'bench', summary: 'measure this machine', commands: [trainStep] };
