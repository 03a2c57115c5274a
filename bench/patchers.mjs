// Compares the labels and optimizers of aligned patchers: trains patchers on SmolLM2's tokens and measures, on unseen text of two kinds,
// how many bits per byte their patches cost the source. `--sizes` also calibrates each patcher to larger patches. With --out, arms that
// were measured before stay.
// Run: npm run bench:patchers -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--steps 500 --only NAME --only NAME --sizes 5,6
//   --corpus small --work DIR --out docs/bench/patchers]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { misuse } from './misuse.mjs';
import { earlierReport } from './report.mjs';
import { PATCHERS, patcherSettings } from './smollm2/arms.mjs';
import { nameWith, OPTIONS, openSession } from './smollm2/session.mjs';
import { patcherTable } from './smollm2/tables.mjs';

const { values } = parseArgs({
  options: {
    ...OPTIONS,
    steps: { type: 'string', default: '500' },
    only: { type: 'string', multiple: true, default: Object.keys(PATCHERS) },
    sizes: { type: 'string', default: '' },
  },
});
const { source, work, out, only: wanted } = values;
const steps = Number(values.steps);
const sizes = values.sizes.split(',').filter(Boolean).map(Number);
for (const name of wanted.filter((name) => !(name in PATCHERS)))
  misuse(`unknown patcher ${name}; the patchers are: ${Object.keys(PATCHERS).join('; ')}`);
const { corpus, byteify, evaluatePatcher } = openSession(values);

const report = earlierReport(out, 'patchers') ?? { command: 'npm run bench:patchers', measured: [] };

function keep(arm) {
  const others = report.measured.filter(({ name, steps }) => name !== arm.name || steps !== arm.steps);
  report.measured = [...others, arm];
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'patchers.json'), `${JSON.stringify({ ...report, packages: corpus.packages }, null, 2)}\n`);
  writeFileSync(join(out, 'patchers.md'), table());
}

/** The table rows of an arm: with its own threshold, then calibrated to larger patches. */
const tableRows = ({ name, steps, unseen, fewer }) => [
  { name: `${name}, ${steps} steps`, unseen },
  ...fewer.map(({ size, unseen }) => ({ name: `the same, cut for ${size} bytes`, unseen })),
];

const table = () => `${patcherTable(report.measured.flatMap(tableRows))}\n`;

for (const only of wanted) {
  const name = nameWith(only, values.corpus);
  const dir = join(work, `patcher-${steps}-${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`);
  const settings = PATCHERS[only];
  const recipe = ['--recipe', 'smollm2-135m', ...patcherSettings(settings, steps)];
  byteify('import', source, '--out', dir);
  byteify('remap', dir, ...recipe);
  byteify('patcher', 'train', dir, ...recipe, '--data', ...corpus.folders);
  const unseen = evaluatePatcher(dir);
  const fewer = sizes.map((size) => {
    byteify('patcher', 'calibrate', dir, '--target-bytes-per-patch', String(size));
    return { size, unseen: evaluatePatcher(dir) };
  });
  keep({ name, steps, settings, unseen, fewer });
}
process.stdout.write(table());
