// Converts SmolLM2-135M with its real weights into a BLT in about an hour on two cores, by distillation and by the paper's method. Reports
// how much of the source's quality is retained, and how well the patchers follow its tokens on unseen text of two kinds.
// Run: npm run bench:smollm2 -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--arms distilled,paper --corpus small --work DIR
//   --out docs/bench/smollm2]
// `--corpus large` trains on the text of bench:corpus instead of 17 MB, and measures patchers on the same unseen text. The bits per byte of the
// stages are of each corpus's own held-out part. Interrupted conversions in --work resume; finished ones are not run again.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { earlierReport, publish } from './report.mjs';
import { ARMS } from './smollm2/arms.mjs';
import { CORPUS_NAMES, nameWith, OPTIONS, openSession } from './smollm2/session.mjs';
import { kindsTable, patcherTable, stageResults, summaryTable } from './smollm2/tables.mjs';

const { values } = parseArgs({
  options: { ...OPTIONS, arms: { type: 'string', default: 'distilled,paper' } },
});
const { source, work, out } = values;
const { corpus, unseen, byteify, evaluatePatcher, evaluateAgainstSource } = openSession(values);

/** The key of a result, and the name of its folder. */
const idOf = ({ arm, corpus = 'small' }) => (corpus === 'small' ? arm : `${arm}-${corpus}`);

function convert(arm) {
  const { name, recipe, settings } = ARMS[arm];
  const dir = join(work, idOf({ arm, corpus: values.corpus }));
  byteify('convert', source, '--recipe', recipe, ...settings, '--data', ...corpus.folders, '--out', dir);
  const { stages, quantised_types: quantisedTypes } = JSON.parse(readFileSync(join(dir, 'byteify.json'), 'utf8'));
  return {
    arm,
    corpus: values.corpus,
    source: { quantised_types: quantisedTypes },
    packages: corpus.packages,
    name: nameWith(name, values.corpus),
    settings: settings.filter((setting) => setting !== '--set'),
    patcher: { ...stages.patcher.metrics, seconds: stages.patcher.seconds },
    finetune: { ...stages.finetune.metrics, seconds: stages.finetune.seconds },
    stages: stageResults(dir),
    kinds: evaluateAgainstSource(dir),
    unseen: evaluatePatcher(dir),
  };
}

/** Arms that earlier runs measured stay in the report. */
const earlier = earlierReport(out ?? work, 'smollm2') ?? { arms: [] };
const measured = new Map(
  [...earlier.arms, ...values.arms.split(',').map(convert)].map((result) => [idOf(result), result]),
);
const arms = Object.keys(ARMS).flatMap((arm) =>
  CORPUS_NAMES.flatMap((size) => measured.get(idOf({ arm, corpus: size })) ?? []),
);
const tables = [summaryTable(arms), kindsTable(arms), patcherTable(arms)].filter((part) => part !== '').join('\n\n');
publish(out, 'smollm2', {
  report: { ...earlier, command: 'npm run bench:smollm2', unseen: unseen.packages, arms },
  markdown: tables,
});
