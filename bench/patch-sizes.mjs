// Compares patch sizes by what a conversion keeps at equal operations: the same patcher cuts less often, the closed form is fitted to these
// patches, and the stage after it spends what is left of the budget. Larger patches cost fewer operations, hence more steps. It measures on
// held-out text that bench:smollm2 does not use. The training of the patcher is not included, since all sizes share it.
// Run: npm run bench:patch-sizes -- --conversion DIR [--sizes 3.5,4.5,6,8 --flops 1e14 --batch-bytes 1024 --work DIR --out docs/bench/patch-sizes]
// DIR is a conversion whose patcher is trained; bench:smollm2 leaves one in its --work. Finished sizes stay in --work.
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBltConfig, stageFlops } from '../dist/blt/index.js';
import { allTexts, evaluationTexts } from '../dist/data/index.js';
import { startEngine } from '../dist/engine/index.js';
import { calibrate } from '../dist/finetune/index.js';
import { disposeParams, loadPatcher } from '../dist/model/index.js';
import { evaluationsOf, kept, openConversion } from './conversion.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { stageOf } from './rates/arms.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string' },
    sizes: { type: 'string', default: '3.5,4.5,6,8' },
    flops: { type: 'string', default: '1e14' },
    'batch-bytes': { type: 'string', default: '1024' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-patch-sizes') },
    out: { type: 'string' },
  },
});
const { work, out } = values;
const sizes = values.sizes.split(',').map(Number);
const budget = Number(values.flops);
const batchBytes = Number(values['batch-bytes']);
if (values.conversion === undefined) misuse('--conversion DIR is required: a conversion whose patcher is trained');
if (!sizes.every((size) => size > 1)) misuse('--sizes must be numbers of bytes above 1');
const trained = join(values.conversion, 'patcher');
if (!existsSync(join(trained, 'config.json'))) misuse(`${trained} has no trained patcher`);

/** Text for calibrating, which includes what is measured; a threshold fits any text of a kind. */
const CALIBRATION_BYTES = 131_072;

const conversion = await openConversion(values.conversion);
const { recipe, store, vocabSize, folder, measureCuts, runStage } = conversion;
const [closedForm, stage] = recipe.stages;
const calibrationTexts = allTexts(await evaluationTexts(store.validation, { maxBytes: CALIBRATION_BYTES }));
await startEngine();

/** A copy of the patcher in `dir` that cuts for a mean of `size` bytes. */
async function patcherFor(size, dir) {
  cpSync(trained, dir, { recursive: true, filter: (path) => path !== join(trained, 'run') });
  const config = await readBltConfig(dir);
  const params = await loadPatcher(dir, config);
  const { threshold } = calibrate(params, config, calibrationTexts, size);
  disposeParams(params);
  const path = join(dir, 'config.json');
  const json = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...json, patching_threshold: threshold }, null, 2));
}

/** @param {number} size */
const measure = (size) => {
  const dir = join(work, String(size));
  return kept(dir, async () => {
    process.stderr.write(`${size} bytes ...\n`);
    const patcher = join(dir, 'patcher');
    await patcherFor(size, patcher);
    const cuts = await measureCuts(patcher);
    const stage0 = await runStage(closedForm, [patcher, folder('init')], join(dir, 'closed-form'));
    const spent = stage0.curve.at(-1).flops;
    const { model, sourceStates, sourceHead } = stageFlops({
      config: await readBltConfig(patcher),
      text: { bytes: batchBytes / 2, bytesPerPatch: cuts.bytesPerPatch },
      source: { vocabSize, bytesPerToken: cuts.bytesPerToken },
      stage,
    });
    const steps = Math.round((budget - spent) / ((model + sourceStates + sourceHead) * batchBytes));
    if (steps < 1) misuse(`the closed form alone takes ${spent.toExponential(1)} of ${values.flops} operations`);
    const trainedStage = stageOf(stage, {}, { steps, batchBytes });
    const { curve } = await runStage(trainedStage, [patcher, stage0.checkpoint, folder('init')], join(dir, 'trained'));
    return {
      size,
      cuts,
      ...{ steps, flops: spent + curve.at(-1).flops },
      closed_form: {
        flops: spent,
        encoder_bits_per_byte: stage0.parts.encoder_bits_per_byte,
        bits_per_byte: evaluationsOf(stage0.curve).at(-1)[1],
      },
      bits_per_byte: evaluationsOf(curve),
    };
  });
};

const results = [];
for (const size of sizes) results.push(await measure(size));
const bits = (value) => value.toFixed(3);
const teraFlops = (value) => (value / 1e12).toFixed(1);
const heads = [
  ...['bytes per patch', 'source in these patches', 'source fed by the encoder'],
  ...['closed form', 'its TFLOP', 'steps after it', 'TFLOP', 'model', 'retention'],
];
const rows = results.map(({ cuts, steps, flops, closed_form: first, bits_per_byte: after }) => [
  ...[cuts.bytesPerPatch.toFixed(2), bits(cuts.inPatchesBitsPerByte), bits(first.encoder_bits_per_byte)],
  ...[bits(first.bits_per_byte), teraFlops(first.flops), steps, teraFlops(flops), bits(after.at(-1)[1])],
  `${Math.round((100 * cuts.canonicalBitsPerByte) / after.at(-1)[1])} %`,
]);
const own = bits(results[0].cuts.canonicalBitsPerByte);
const markdown = `Source, own tokens: ${own} bits per byte.\n\n${table(heads, rows, { numbers: true })}`;
publish(out, 'patch-sizes', {
  report: { command: 'npm run bench:patch-sizes', budget_flops: budget, stages: recipe.stages, results },
  markdown,
});
await conversion.close();
process.exit();
