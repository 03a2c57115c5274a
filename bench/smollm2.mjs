// SmolLM2-135M, real weights, made a BLT in about an hour on two cores: by distillation, and in the paper's way. What of the source is kept, and how
// the aligned patcher follows its tokens on text of two kinds that it was not trained on.
// Run: npm run bench:smollm2 -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--arms distilled,paper --work DIR --out docs/bench/smollm2]
// Conversions in --work go on where they were; finished ones are read.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ARMS } from './smollm2/arms.mjs';
import { openCorpus } from './smollm2/corpus.mjs';
import { patcherTable, stageResults, summaryTable } from './smollm2/tables.mjs';

const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    arms: { type: 'string', default: Object.keys(ARMS).join(',') },
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
const byteify = (args, stdout) =>
  execFileSync(process.execPath, [cli, ...args], { stdio: ['ignore', stdout, 'inherit'], maxBuffer: 2 ** 26 });

const corpus = openCorpus(work, 'corpus');
const unseen = openCorpus(work, 'unseen');

function convert(arm) {
  const { name, recipe, settings } = ARMS[arm];
  const dir = join(work, arm);
  byteify(['convert', source, '--recipe', recipe, ...settings, '--data', ...corpus.folders, '--out', dir], 'inherit');
  const { stages } = JSON.parse(readFileSync(join(dir, 'byteify.json'), 'utf8'));
  const evaluated = byteify(['patcher', 'evaluate', dir, '--data', ...unseen.folders, '--json'], 'pipe');
  return {
    arm,
    name,
    settings: settings.filter((setting) => setting !== '--set'),
    patcher: { ...stages.patcher.metrics, seconds: stages.patcher.seconds },
    finetune: { ...stages.finetune.metrics, seconds: stages.finetune.seconds },
    stages: stageResults(dir),
    unseen: JSON.parse(evaluated).kinds,
  };
}

/** Arms that were measured before, by another run of this command, stay in the report. */
const before = join(values.out ?? work, 'smollm2.json');
const known = existsSync(before) ? JSON.parse(readFileSync(before, 'utf8')).arms : [];
const made = new Map([...known, ...values.arms.split(',').map(convert)].map((result) => [result.arm, result]));
const arms = Object.keys(ARMS).flatMap((arm) => made.get(arm) ?? []);
const tables = [summaryTable(arms), patcherTable(arms)].join('\n\n');
process.stdout.write(`${tables}\n`);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  const packages = [...corpus.packages, ...unseen.packages];
  const report = { command: 'npm run bench:smollm2', packages, arms };
  writeFileSync(join(values.out, 'smollm2.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(values.out, 'smollm2.md'), `${tables}\n`);
}
