// Compiles what an accelerator would run, on a machine without one: the patcher and every stage of the shipped recipes, at the recipes' own sizes, for
// several GPUs. No weights are needed: the code that trains runs on shapes alone. Compares the memory that the compiler states with the plan.
// Run: npm run -s check:accelerator [-- --slice | --recipes tiny,llama-3.2-1b --stages patcher,1 --targets h100,a100,rtx --devices 8 --fully-sharded
//   --out DIR --name accelerator]
// With several devices, each has as many rows as the recipe says, and the collectives are counted.
// Exit codes: 0 all programs compile, 1 one does not, 2 wrong usage. The compiler takes 260 MB to download.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../bench/markdown-table.mjs';
import { misuse } from '../bench/misuse.mjs';
import { publish } from '../bench/report.mjs';
import { allCases, RECIPES, SLICE } from './check-accelerator/cases.mjs';
import { findCompiler } from './check-accelerator/compiler.mjs';
import { TARGETS } from './check-accelerator/targets.mjs';

const CHECK_STAGE = fileURLToPath(new URL('check-accelerator/check-stage.mjs', import.meta.url));

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
const targets = (values.targets ?? (values.slice ? 'h100' : 'h100,a100,rtx')).split(',');
for (const recipe of recipes)
  if (!RECIPES.includes(recipe)) misuse(`unknown recipe ${recipe}; there are: ${RECIPES.join(', ')}`);
for (const target of targets)
  if (!(target in TARGETS)) misuse(`unknown target ${target}; there are: ${Object.keys(TARGETS).join(', ')}`);

/** The result of one stage, or why there is none. */
function check(options) {
  try {
    const out = execFileSync(process.execPath, [CHECK_STAGE, JSON.stringify(options)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(out.trim().split('\n').at(-1));
  } catch (error) {
    const said = String(error.stderr ?? error.message)
      .split('\n')
      .find((line) => /Error/.test(line));
    return { ...options, error: said ?? String(error.message).split('\n', 1)[0] };
  }
}

const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
const percent = (share) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(0)} %`;

/** For example `9 all-reduce (0.25 GB)`. */
const renderCollectives = (collectives) =>
  Object.entries(collectives)
    .map(([name, { count, bytes }]) => `${count} ${name} (${gigabytes(bytes)} GB)`)
    .join(', ');

const nameOf = ({ stage, kind, overrides = [] }) =>
  `${stage} ${kind ?? ''}${overrides.length === 0 ? '' : ` (${overrides.join(', ')})`}`;

/** @type {[string, (stage: any, found: any) => string][]} */
const COLUMNS = [
  ['recipe', ({ recipe }) => recipe],
  ['stage', nameOf],
  ['target', ({ devices }, { target }) => (devices === 1 ? target : `${devices} x ${target}`)],
  ['seconds to compile', (_, { compile_seconds: seconds }) => seconds.toFixed(0)],
  [
    'GB by the compiler',
    (_, { peak_bytes: peak, device_bytes: has }) => `${gigabytes(peak)}${peak > has ? ', does not fit' : ''}`,
  ],
  ['of which temporary', (_, { temporary_bytes: bytes }) => gigabytes(bytes)],
  devices === 1
    ? [
        'plan',
        ({ planned_bytes: planned }, { peak_bytes: peak }) => `${gigabytes(planned)} (${percent(planned / peak - 1)})`,
      ]
    : ['collectives of the largest program', (_, { collectives }) => renderCollectives(collectives)],
];

const rowsOf = (stage) =>
  stage.error === undefined
    ? stage.results.map((found) => COLUMNS.map(([, cell]) => cell(stage, found)))
    : [[stage.recipe, nameOf(stage), '', stage.error, ...COLUMNS.slice(4).map(() => '')]];

await findCompiler();
const stages = [];
const wanted = values.stages?.split(',');
const cases = (values.slice ? SLICE : allCases(recipes)).filter(
  ({ stage }) => wanted === undefined || wanted.includes(String(stage)),
);
for (const one of cases) {
  const found = check({ ...one, targets, devices, fullySharded: values['fully-sharded'] });
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
process.exitCode = stages.some(({ error }) => error !== undefined) ? 1 : 0;
