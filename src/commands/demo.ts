/** @module `byteify demo`: converts the embedded tiny Llama from start to finish. */
import { openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { convert, demoCorpus, showModel } from '../pipeline/index.js';
import { loadRecipe } from '../recipe/index.js';
import { writeReport } from '../report/index.js';
import { renderPairs, renderPatches, usesColour } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import { conversionSummary } from './conversion-summary.js';
import { nextSteps, programName } from './next-steps.js';
import {
  type EngineArgs,
  engineOptions,
  type RecipeArgs,
  type RestartArgs,
  restartOption,
  startEngineFor,
} from './shared-options.js';

interface Args extends EngineArgs, RestartArgs, Pick<RecipeArgs, 'set'> {
  readonly out: string;
}

const RECIPE = 'tiny';
const SENTENCE = 'The latent global transformer reads patches of bytes, not tokens.';
const PROMPT = 'The ';
const SAMPLE_BYTES = 120;

export const demo: Command<Args> = {
  name: 'demo',
  summary: 'convert the embedded tiny Llama, in about three minutes on two cores',
  arguments: [],
  options: [
    { flags: '--out <dir>', help: 'the conversion folder', default: 'byteify-demo' },
    {
      flags: '--set <key=value>',
      help: 'override one key of the recipe, for example stages.1.steps=50',
      repeatable: true,
    },
    restartOption,
    ...engineOptions,
  ],
  examples: ['byteify demo', 'byteify demo --out demo-20 --set stages.1.steps=20'],
  async run(context, args) {
    const recipe = await loadRecipe(RECIPE, { sets: args.set, onWarning: context.reporter.warn });
    const model = recipe.source?.model;
    if (model === undefined)
      throw new UsageError('The demo’s recipe names no model.', { hint: 'Do not override source.model.' });
    await startEngineFor(args, recipe.hardware.threads);
    const conversion = await openConversion(args.out, { restartFrom: args.restartFrom, signal: context.signal });
    try {
      const { reporter, signal } = context;
      await convert({ conversion, recipe, reporter, signal }, model, await demoCorpus());
      reporter.stage('Writing a sample and the report');
      const summary = conversionSummary(conversion);
      const shown = await showModel(summary.export, {
        sentence: SENTENCE,
        prompt: PROMPT,
        sampleBytes: SAMPLE_BYTES,
        seed: recipe.seed,
      });
      const report = await writeReport(args.out, { withModel: true });
      reporter.done();
      const document = {
        ...summary,
        sentence: SENTENCE,
        patch_lengths: shown.patchLengths,
        prompt: PROMPT,
        sample: shown.sample,
        report,
      };
      printResult(context, document, () => {
        const colour = usesColour(process.stdout, process.env);
        const bits = (value: number | null) => `${value?.toFixed(3)} bits per byte on held-out text`;
        const patches = renderPatches({
          bytes: shown.bytes,
          patchLengths: shown.patchLengths,
          entropyNats: shown.entropyNats,
          colour,
        });
        const pairs = renderPairs([
          ['tiny Llama', bits(summary.source_bits_per_byte)],
          ['converted BLT', bits(summary.bits_per_byte)],
          ['patches', patches],
          ['sample', JSON.stringify(PROMPT + shown.sample)],
          ['export', `${summary.export} (transformers: BltForCausalLM.from_pretrained)`],
          ['report', `${report} (open it in a browser)`],
        ]);
        return `${pairs}\n${nextSteps(args.out, programName(process.argv[1], process.cwd()))}`;
      });
    } finally {
      await conversion.close();
    }
  },
};
