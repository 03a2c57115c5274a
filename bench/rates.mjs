// Compares learning rates of the stage that follows the closed form, from the same model, in the same steps on the same text. It measures on
// held-out text that bench:smollm2 does not use, so that rates are not chosen on the text on which results are published.
// Run: npm run bench:rates -- --conversion DIR [--arms recipe,'global 2' --steps 60 --batch-bytes 1024 --work DIR --out docs/bench/rates]
// DIR is a conversion whose closed form is done; bench:smollm2 leaves one in its --work. Finished arms stay in --work.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { evaluationTexts, openStore } from '../dist/data/index.js';
import { startEngine } from '../dist/engine/index.js';
import { finetune } from '../dist/finetune/index.js';
import { recipeSchema } from '../dist/recipe/index.js';
import { valuesIn } from './json-lines.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { ARMS, stageOf } from './rates/arms.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string' },
    arms: { type: 'string', default: Object.keys(ARMS).join(',') },
    steps: { type: 'string', default: '60' },
    'batch-bytes': { type: 'string', default: '1024' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-rates') },
    out: { type: 'string' },
  },
});
const { conversion, work, out } = values;
const arms = values.arms.split(',');
const unknown = arms.find((arm) => !(arm in ARMS));
if (conversion === undefined) misuse('--conversion DIR is required: a conversion whose closed form is done');
if (unknown !== undefined) misuse(`unknown arm ${unknown}; the arms are: ${Object.keys(ARMS).join(', ')}`);
const closedForm = join(conversion, 'run/stage-0/checkpoint-000000');
if (!existsSync(closedForm)) misuse(`${closedForm} does not exist: the conversion has no closed form`);

/** How much is measured here of the text that follows what the conversion itself measures on. */
const HELD_OUT_BYTES = 8_192;
const SEED = 7;

const recipe = recipeSchema.parse(parse(readFileSync(join(conversion, 'recipe.yaml'), 'utf8')));
const size = { steps: Number(values.steps), batchBytes: Number(values['batch-bytes']) };
const store = await openStore(join(conversion, 'data'));
const texts = (maxBytes) => evaluationTexts(store.validation, { maxBytes });
const { validation_bytes: publishedBytes } = recipe.evaluate;
const published = await texts(publishedBytes);
const heldOut = (await texts(publishedBytes + HELD_OUT_BYTES)).slice(published.length);
await startEngine();

async function measure(arm) {
  const run = join(work, arm.replaceAll(' ', '-'));
  const stage = stageOf(recipe.stages[1], ARMS[arm], size);
  const isDone = existsSync(join(run, 'result.json'));
  if (!isDone) {
    process.stderr.write(`${arm} ...\n`);
    await finetune({
      from: [join(conversion, 'patcher'), closedForm, join(conversion, 'init')],
      source: join(conversion, 'source'),
      run,
      recipe: { ...recipe, seed: SEED, stages: [stage] },
      ...{ store, heldOut, sourceBitsPerByte: null, settings: arm, signal: new AbortController().signal },
    });
    const curve = valuesIn(join(run, 'metrics.jsonl'));
    const points = curve.filter(({ validation_bits_per_byte: bits }) => bits !== undefined);
    const result = {
      ...{ arm, steps: size.steps, batch_bytes: size.batchBytes, flops: curve.at(-1).flops },
      bits_per_byte: points.map(({ step, validation_bits_per_byte: bits }) => [step, bits]),
    };
    rmSync(run, { recursive: true });
    mkdirSync(run, { recursive: true });
    writeFileSync(join(run, 'result.json'), JSON.stringify(result));
  }
  return JSON.parse(readFileSync(join(run, 'result.json'), 'utf8'));
}

const results = [];
for (const arm of arms) results.push(await measure(arm));
const heads = ['arm', 'TFLOP', ...results[0].bits_per_byte.map(([step]) => `bits per byte, step ${step}`)];
const rows = results.map(({ arm, flops, bits_per_byte: bits }) => [
  ...[arm, (flops / 1e12).toFixed(1)],
  ...bits.map(([, value]) => value.toFixed(3)),
]);
const markdown = table(heads, rows, { numbers: true });
process.stdout.write(`${markdown}\n`);
if (out !== undefined) {
  mkdirSync(out, { recursive: true });
  const report = { command: 'npm run bench:rates', stage: recipe.stages[1], arms: results };
  writeFileSync(join(out, 'rates.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(out, 'rates.md'), `${markdown}\n`);
}
await store.close();
process.exit();
