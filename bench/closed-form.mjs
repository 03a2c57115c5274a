// Compares variants of the closed form at equal operations, from the same remapped model and patcher: without n-gram tables, with other
// decoders and encoders. It measures on held-out text that bench:smollm2 does not use.
// Run: npm run bench:closed-form -- --conversion DIR [--arms recipe,'linear decoder' --share 0.5 --work DIR --out docs/bench/closed-form]
// DIR is a conversion whose patcher is trained; bench:smollm2 leaves one in its --work. `--share` is the share of the recipe's texts that the
// first arm reads. Finished arms stay in --work.
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBltConfig } from '../dist/blt/index.js';
import { startEngine } from '../dist/engine/index.js';
import { ARMS, stageOf } from './closed-form/arms.mjs';
import { flopsOfClosedForm } from './closed-form-flops.mjs';
import { evaluationsOf, kept, openConversion } from './conversion.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string' },
    arms: { type: 'string', default: Object.keys(ARMS).join(',') },
    share: { type: 'string', default: '1' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-closed-form') },
    out: { type: 'string' },
  },
});
const { work, out } = values;
const arms = values.arms.split(',');
const unknown = arms.find((arm) => !(arm in ARMS));
const share = Number(values.share);
if (values.conversion === undefined) misuse('--conversion DIR is required: a conversion whose patcher is trained');
if (unknown !== undefined) misuse(`unknown arm ${unknown}; the arms are: ${Object.keys(ARMS).join(', ')}`);
if (!(share > 0 && share <= 1)) misuse('--share must be above 0 and at most 1');
const patcher = join(values.conversion, 'patcher');
if (!existsSync(join(patcher, 'config.json'))) misuse(`${patcher} has no trained patcher`);

const conversion = await openConversion(values.conversion);
const { recipe, store, vocabSize, folder, measureCuts, runStage } = conversion;
await startEngine();
const cuts = await measureCuts(patcher);
const full = recipe.stages[0];
if (full?.kind !== 'closed-form') throw new Error('the first stage of the recipe is not a closed form');
const part = (bytes) => Math.round(share * bytes);
const stage = {
  ...full,
  text_bytes: part(full.text_bytes),
  solve_bytes: part(full.solve_bytes),
  ngram_bytes: part(full.ngram_bytes),
};
const model = {
  config: await readBltConfig(patcher),
  text: { bytes: stage.sequence_length, bytesPerPatch: cuts.bytesPerPatch },
  source: { vocabSize, bytesPerToken: cuts.bytesPerToken },
  trainBytes: store.train.byteCount,
};
const budget = flopsOfClosedForm(stage, model);

/** @param {string} arm */
const measure = (arm) => {
  const run = join(work, arm.replaceAll(' ', '-'));
  return kept(run, async () => {
    process.stderr.write(`${arm} ...\n`);
    const own = stageOf(stage, ARMS[arm], model, budget);
    const { curve, parts } = await runStage(own, [patcher, folder('init')], run);
    return {
      ...{ arm, stage: own, flops: curve.at(-1).flops },
      ...{ encoder_bits_per_byte: parts.encoder_bits_per_byte, bits_per_byte: evaluationsOf(curve).at(-1)[1] },
    };
  });
};

const results = [];
for (const arm of arms) results.push(await measure(arm));
const heads = ['arm', 'TFLOP', 'KB for the encoder', 'KB with states', 'source fed by the encoder', 'model'];
const kilobytes = (bytes) => Math.round(bytes / 1000);
const rows = results.map(({ arm, stage: own, flops, encoder_bits_per_byte: encoder, bits_per_byte: bits }) => [
  ...[arm, (flops / 1e12).toFixed(1), kilobytes(own.text_bytes), kilobytes(own.solve_bytes)],
  ...[encoder.toFixed(3), bits.toFixed(3)],
]);
const markdown = table(heads, rows, { numbers: true });
publish(out, 'closed-form', { report: { command: 'npm run bench:closed-form', cuts, arms: results }, markdown });
await conversion.close();
process.exit();
