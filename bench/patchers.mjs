// Where an aligned patcher should learn to cut: patchers of each kind of labels, trained alike on SmolLM2's tokens, and what they cost the source on
// text of two kinds that they were not trained on.
// Run: npm run bench:patchers -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--steps 500 --work DIR --out docs/bench/patchers]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LABELS, patcherSettings } from './smollm2/arms.mjs';
import { openSession } from './smollm2/session.mjs';
import { patcherTable } from './smollm2/tables.mjs';

const session = openSession({ steps: { type: 'string', default: '500' } });
const { source, work, out, corpus, byteify, evaluatePatcher } = session;
const steps = Number(session.steps);

const measured = Object.entries(LABELS).map(([name, labels]) => {
  const dir = join(work, `patcher-${name.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`);
  const recipe = ['--recipe', 'smollm2-135m', ...patcherSettings(labels, steps)];
  byteify('import', source, '--out', dir);
  byteify('remap', dir, ...recipe);
  byteify('patcher', 'train', dir, ...recipe, '--data', ...corpus.folders);
  return { name, labels, unseen: evaluatePatcher(dir) };
});

const table = patcherTable(measured);
process.stdout.write(`${table}\n`);
if (out !== undefined) {
  mkdirSync(out, { recursive: true });
  const report = {
    command: 'npm run bench:patchers',
    steps,
    packages: corpus.packages,
    measured,
  };
  writeFileSync(join(out, 'patchers.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(out, 'patchers.md'), `${table}\n`);
}
