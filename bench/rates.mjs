// Compares learning rates of the stage that follows the closed form, from the same model, in the same steps on the same text. It measures on
// held-out text that bench:smollm2 does not use, so that rates are not chosen on the text on which results are published.
// Run: npm run bench:rates -- --conversion DIR [--arms recipe,'global 2' --steps 60 --batch-bytes 1024 --work DIR --out docs/bench/rates]
// DIR is a conversion whose closed form is done; bench:smollm2 leaves one in its --work. Finished arms stay in --work.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEngine } from '../dist/engine/index.js';
import { evaluationsOf, kept, openConversion } from './conversion.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { ARMS, stageOf } from './rates/arms.mjs';
import { publish } from './report.mjs';

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
const { work, out } = values;
const arms = values.arms.split(',');
const unknown = arms.find((arm) => !(arm in ARMS));
if (values.conversion === undefined) misuse('--conversion DIR is required: a conversion whose closed form is done');
if (unknown !== undefined) misuse(`unknown arm ${unknown}; the arms are: ${Object.keys(ARMS).join(', ')}`);
const closedForm = join(values.conversion, 'run/stage-0/checkpoint-000000');
if (!existsSync(closedForm)) misuse(`${closedForm} does not exist: the conversion has no closed form`);

const conversion = await openConversion(values.conversion);
const { recipe, folder, runStage } = conversion;
const size = { steps: Number(values.steps), batchBytes: Number(values['batch-bytes']) };
await startEngine();

/** @param {string} arm */
const measure = (arm) => {
  const run = join(work, arm.replaceAll(' ', '-'));
  return kept(run, async () => {
    process.stderr.write(`${arm} ...\n`);
    const stage = stageOf(recipe.stages[1], ARMS[arm], size);
    const { curve } = await runStage(stage, [folder('patcher'), closedForm, folder('init')], run);
    const { steps, batchBytes } = size;
    return { arm, steps, batch_bytes: batchBytes, flops: curve.at(-1).flops, bits_per_byte: evaluationsOf(curve) };
  });
};

const results = [];
for (const arm of arms) results.push(await measure(arm));
const heads = ['arm', 'TFLOP', ...results[0].bits_per_byte.map(([step]) => `bits per byte, step ${step}`)];
const rows = results.map(({ arm, flops, bits_per_byte: bits }) => [
  ...[arm, (flops / 1e12).toFixed(1)],
  ...bits.map(([, value]) => value.toFixed(3)),
]);
const markdown = table(heads, rows, { numbers: true });
publish(out, 'rates', {
  report: { command: 'npm run bench:rates', stage: recipe.stages[1], arms: results },
  markdown,
});
await conversion.close();
process.exit();
