// Compiles what an accelerator would run, on a machine without one: the patcher and every stage of the shipped recipes, at the recipes' own sizes, for
// several GPUs. No weights are needed: the code that trains runs on shapes alone. Compares the memory that the compiler states with the plan.
// Run: npm run -s check:accelerator [-- --slice | --recipes tiny,llama-3.2-1b --targets h100,a100,rtx --out DIR]
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
    targets: { type: 'string' },
    out: { type: 'string' },
  },
});
const recipes = values.recipes.split(',');
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

function rowsOf({ recipe, stage, kind, overrides = [], planned_bytes: planned, results = [], error }) {
  const name = `${stage} ${kind ?? ''}${overrides.length === 0 ? '' : ` (${overrides.join(', ')})`}`;
  if (error !== undefined) return [[recipe, name, '', error, '', '', '', '']];
  return results.map((found) => [
    ...[recipe, name, found.target, found.compile_seconds.toFixed(0)],
    ...[gigabytes(found.peak_bytes), gigabytes(found.temporary_bytes), gigabytes(planned)],
    found.peak_bytes <= found.device_bytes
      ? percent(planned / found.peak_bytes - 1)
      : `${percent(planned / found.peak_bytes - 1)}, does not fit`,
  ]);
}

await findCompiler();
const stages = [];
for (const one of values.slice ? SLICE : allCases(recipes)) {
  const found = check({ ...one, targets });
  stages.push(found);
  for (const row of rowsOf(found)) console.error(row.join('  '));
}
const heads = [
  'recipe',
  'stage',
  'target',
  'seconds to compile',
  'GB by the compiler',
  'of which temporary',
  'GB by the plan',
  'plan',
];
publish(values.out, 'accelerator', {
  report: { command: 'npm run check:accelerator', stages },
  markdown: table(heads, stages.flatMap(rowsOf)),
});
process.exitCode = stages.some(({ error }) => error !== undefined) ? 1 : 0;
