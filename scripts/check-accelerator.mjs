// Compiles what an accelerator would run, on a machine without one: the patcher and every stage of the shipped recipes, at the recipes' own sizes, for
// several GPUs. No weights are needed: the code that trains runs on shapes alone. Compares the memory that the compiler states with the plan.
// Run: npm run -s check:accelerator [-- --slice | --recipes tiny,llama-3.2-1b --stages patcher,1 --targets h100,a100,rtx --devices 8 --fully-sharded
//   --out DIR --name accelerator]
// With several devices, each has as many rows as the recipe says, and the collectives are counted.
// Exit codes: 0 all programs compile and the plan is near, 1 one does not or it is not, 2 wrong usage. The compiler takes 260 MB to download.
import { parseArgs } from 'node:util';
import { table } from '../bench/markdown-table.mjs';
import { misuse } from '../bench/misuse.mjs';
import { publish } from '../bench/report.mjs';
import { compileStageInProcess, fits, largestProgram, TARGETS } from '../dist/accelerator/index.js';
import { setUpCompiler } from '../dist/engine/index.js';
import { loadRecipe } from '../dist/recipe/index.js';
import { allCases, RECIPES, SLICE } from './check-accelerator/cases.mjs';
import { trainingsOf } from './check-accelerator/plan-of.mjs';
import { sourceOf } from './check-accelerator/sources.mjs';
import { statedPeak } from './check-gpu/peaks.mjs';

const { values } = parseArgs({
  options: {
    slice: { type: 'boolean', default: false },
    recipes: { type: 'string', default: RECIPES.join(',') },
    stages: { type: 'string' },
    targets: { type: 'string' },
    devices: { type: 'string', default: '1' },
    'fully-sharded': { type: 'boolean', default: false },
    name: { type: 'string', default: 'accelerator' },
    out: { type: 'string' },
  },
});
const recipes = values.recipes.split(',');
const devices = Number(values.devices);
if (!Number.isInteger(devices) || devices < 1) misuse(`--devices ${values.devices} is no number of devices`);
const targets = /** @type {import('../dist/accelerator/index.js').Target[]} */ (
  (values.targets ?? (values.slice ? 'h100' : 'h100,a100,rtx')).split(',')
);
for (const recipe of recipes)
  if (!RECIPES.includes(recipe)) misuse(`unknown recipe ${recipe}; there are: ${RECIPES.join(', ')}`);
for (const target of targets)
  if (!(target in TARGETS)) misuse(`unknown target ${target}; there are: ${Object.keys(TARGETS).join(', ')}`);

/** What the plan expects of a stage: bytes on the device, operations and the least traffic of a micro-batch. */
function plannedOf(recipe, source, stage) {
  if (stage === 'decoding') return null;
  const { memory, microBatch, flopsPerByte } = trainingsOf(recipe, source)[stage === 'patcher' ? 0 : stage + 1];
  const { textBytes, trafficBytes } = microBatch;
  return { bytes: memory.deviceBytes, flops: flopsPerByte * textBytes, traffic_bytes: trafficBytes };
}

/** What the compiler says of one stage, or why it says nothing. */
async function check({ recipe: name, stage, overrides = [] }, plugin) {
  const recipe = await loadRecipe(name, { sets: overrides });
  const source = sourceOf(name);
  const kind = typeof stage === 'number' ? recipe.stages[stage].kind : '';
  const about = { recipe: name, stage, kind, overrides, devices };
  try {
    const results = await compileStageInProcess({ recipe, source, stage, layout, plugin, targets });
    return { ...about, planned: plannedOf(recipe, source, stage), results };
  } catch (error) {
    return { ...about, error: error.message };
  }
}

const peakOf = (found) => largestProgram(found).peakBytes;
const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
const percent = (share) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(0)} %`;

/** The plan may differ from the compiler by 15 %, and for small models by the memory of some kernels. */
function isNear({ bytes }, found) {
  const peak = peakOf(found);
  return Math.abs(bytes - peak) <= Math.max(0.15 * peak, 100e6);
}

/** For example `43.08 (+11 %)`. */
const renderPlan = (planned, found) =>
  `${gigabytes(planned.bytes)} (${percent(planned.bytes / peakOf(found) - 1)}${isNear(planned, found) ? '' : ', wrong'})`;

/** For example `9 all-reduce (0.25 GB)`. */
const renderCollectives = (collectives) =>
  Object.entries(collectives)
    .map(([name, { count, bytes }]) => `${count} ${name} (${gigabytes(bytes)} GB)`)
    .join(', ');

/** Of the programs that train, the one that computes the gradients of a micro-batch has by far the most kernels. Decoding has only others. */
function microBatchProgram({ programs }) {
  const training = programs.filter(({ changesVariables }) => changesVariables);
  const all = training.length === 0 ? programs : training;
  return all.reduce((most, program) => (program.kernels > most.kernels ? program : most));
}

const milliseconds = (seconds) => (1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0);

/** The time of a micro-batch's products, if they ran at the card's peak. */
function renderPeak(planned, target) {
  const peak = statedPeak(TARGETS[target], false);
  return planned === null || peak === null ? '' : milliseconds(planned.flops / peak);
}

const nameOf = ({ stage, kind, overrides = [] }) =>
  `${stage} ${kind ?? ''}${overrides.length === 0 ? '' : ` (${overrides.join(', ')})`}`;

/** @type {[string, (stage: any, found: any) => string][]} */
const COLUMNS = [
  ['recipe', ({ recipe }) => recipe],
  ['stage', nameOf],
  ['target', ({ devices }, { target }) => (devices === 1 ? target : `${devices} x ${target}`)],
  ['seconds to compile', (_, { compileSeconds: seconds }) => seconds.toFixed(0)],
  ['GB by the compiler', (_, found) => `${gigabytes(peakOf(found))}${fits(found) ? '' : ', does not fit'}`],
  ['of which temporary', (_, found) => gigabytes(largestProgram(found).temporaryBytes)],
  devices === 1
    ? ['plan', ({ planned }, found) => (planned === null ? '' : renderPlan(planned, found))]
    : ['collectives of the largest program', (_, found) => renderCollectives(largestProgram(found).collectives)],
  ['kernels of a micro-batch', (_, found) => String(microBatchProgram(found).kernels)],
  ['GB that they read and write', (_, found) => gigabytes(microBatchProgram(found).trafficBytes)],
  ['at least', ({ planned }) => (planned === null ? '' : gigabytes(planned.traffic_bytes))],
  ['ms at the memory’s rate', (_, found) => milliseconds(microBatchProgram(found).trafficBytes / found.bytesPerSecond)],
  ['ms at the peak of bfloat16', ({ planned }, { target }) => renderPeak(planned, target)],
];

const rowsOf = (stage) =>
  stage.error === undefined
    ? stage.results.map((found) => COLUMNS.map(([, cell]) => cell(stage, found)))
    : [[stage.recipe, nameOf(stage), '', stage.error, ...COLUMNS.slice(4).map(() => '')]];

const layout = { devices, dividesVariables: values['fully-sharded'] };
const plugin = await setUpCompiler();
const stages = [];
const wanted = values.stages?.split(',');
const cases = (values.slice ? SLICE : allCases(recipes)).filter(
  ({ stage }) => wanted === undefined || wanted.includes(String(stage)),
);
for (const one of cases) {
  const found = await check(one, plugin);
  stages.push(found);
  for (const row of rowsOf(found)) console.error(row.join('  '));
}
publish(values.out, values.name, {
  report: { command: 'npm run check:accelerator', devices, fully_sharded: values['fully-sharded'], stages },
  markdown: table(
    COLUMNS.map(([head]) => head),
    stages.flatMap(rowsOf),
  ),
});
const isWrong = ({ error, planned = null, results = [] }) =>
  error !== undefined || (devices === 1 && planned !== null && results.some((found) => !isNear(planned, found)));
process.exitCode = stages.some(isWrong) ? 1 : 0;
