// Where an aligned patcher should learn to cut: patchers of each kind of labels, trained alike on SmolLM2's tokens, and what they cost the source on
// text of two kinds that they were not trained on.
// Run: npm run bench:patchers -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--steps 500 --work DIR --out docs/bench/patchers]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LABELS, patcherSettings } from './smollm2/arms.mjs';
import { openCorpus } from './smollm2/corpus.mjs';
import { patcherTable } from './smollm2/tables.mjs';

const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    steps: { type: 'string', default: '500' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-smollm2') },
    out: { type: 'string' },
  },
});
if (values.source === undefined) {
  process.stderr.write('error: which weights? --source FILE (the README says where the GGUF is)\n');
  process.exit(2);
}
const { source, work } = values;
mkdirSync(work, { recursive: true });
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const byteify = (args, stdout = 'inherit') =>
  execFileSync(process.execPath, [cli, ...args], { stdio: ['ignore', stdout, 'inherit'], maxBuffer: 2 ** 26 });

const corpus = openCorpus(work, 'corpus');
const unseen = openCorpus(work, 'unseen');

const measured = Object.entries(LABELS).map(([name, labels]) => {
  const dir = join(work, `patcher-${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`);
  const recipe = ['--recipe', 'smollm2-135m', ...patcherSettings(labels, Number(values.steps))];
  byteify(['import', source, '--out', dir]);
  byteify(['remap', dir, ...recipe]);
  byteify(['patcher', 'train', dir, ...recipe, '--data', ...corpus.folders]);
  const found = byteify(['patcher', 'evaluate', dir, '--data', ...unseen.folders, '--json'], 'pipe');
  return { name, labels, unseen: JSON.parse(found).kinds };
});

const table = patcherTable(measured);
process.stdout.write(`${table}\n`);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  const report = {
    command: 'npm run bench:patchers',
    steps: Number(values.steps),
    packages: corpus.packages,
    measured,
  };
  writeFileSync(join(values.out, 'patchers.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(values.out, 'patchers.md'), `${table}\n`);
}
