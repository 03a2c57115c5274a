/** @module `byteify adapt`: continues a finished model on a language or domain. */
import { openConversion } from '../conversion/index.js';
import { adapt, type TokenBaseline } from '../pipeline/index.js';
import { recipeFor } from '../recipe/index.js';
import { renderPairs } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import { conversionSummary, summaryLines } from './conversion-summary.js';
import {
  dataOption,
  type EngineArgs,
  eagerOption,
  engineOptions,
  type RestartArgs,
  recipeOptions,
  restartOption,
  startEngineFor,
  type TrainingArgs,
  trainingOverrides,
} from './shared-options.js';
import { type WatchArgs, watching, watchOption } from './watching.js';

interface Args extends TrainingArgs, RestartArgs, EngineArgs, WatchArgs {
  readonly dir: string;
  readonly data?: readonly string[];
  readonly out: string;
  readonly tokenBaseline?: boolean;
}

export const adaptCommand: Command<Args> = {
  name: 'adapt',
  summary: 'continue a finished model on a language or domain, its patcher included',
  arguments: [{ name: 'dir', help: 'a trained conversion, or a BLT checkpoint folder' }],
  options: [
    ...recipeOptions,
    dataOption,
    { flags: '--out <dir>', help: 'the new conversion folder; run the same command again to resume', required: true },
    {
      flags: '--token-baseline',
      help: 'also train the source with its tokens on the same text for as many operations, to compare with; it is written to `token-baseline/llama`',
    },
    restartOption,
    eagerOption,
    watchOption,
    ...engineOptions,
  ],
  examples: [
    'byteify adapt llama-blt --data vietnamese/ --out llama-blt-vi',
    'byteify adapt llama-blt --recipe my-adapt.yaml --data logs.jsonl.gz --out llama-blt-logs',
  ],
  async run(context, args) {
    const recipe = await recipeFor(args.out, args.recipe, {
      sets: trainingOverrides(args),
      shipped: 'adapt',
      onWarning: context.reporter.warn,
    });
    await startEngineFor(args, recipe.hardware.threads);
    const conversion = await openConversion(args.out, { restartFrom: args.restartFrom, signal: context.signal });
    try {
      const { reporter, signal } = context;
      const { tokenBaseline = false } = args;
      const baseline = await watching(args.out, args, context, () =>
        adapt({ conversion, recipe, reporter, signal }, args.dir, args.data ?? [], { tokenBaseline }),
      );
      const summary = conversionSummary(conversion);
      const document = { ...summary, ...(baseline !== null && { token_baseline: baselineDocument(baseline) }) };
      printResult(context, document, () => renderPairs([...summaryLines(summary), ...baselineLines(baseline)]));
    } finally {
      await conversion.close();
    }
  },
};

const baselineDocument = ({ folder, bitsPerByte, bytesPerToken, flops }: TokenBaseline) => ({
  folder,
  bits_per_byte: bitsPerByte,
  bytes_per_token: bytesPerToken,
  flops,
});

function baselineLines(baseline: TokenBaseline | null): [string, string][] {
  if (baseline === null) return [];
  return [
    ['tokens', `${baseline.bitsPerByte.toFixed(3)} bits per byte`],
    ['bytes per token', baseline.bytesPerToken.toFixed(2)],
    ['token baseline', baseline.folder],
  ];
}
