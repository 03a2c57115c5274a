// Adapts a conversion to a language with little text, and its source with its tokens for as many operations, and compares them.
// Run: npm run bench:adapt -- --conversion DIR --work DIR [--language fa-IR --seeds 1,2,3 --rates 4e-4,2e-3,6e-3
//   --baseline-rates 3e-4,1e-3,3e-3 --limit 30 --set stages.0.steps=600 --out docs/bench/adapt]
// Of their learning rates, both get the one that is best on held-out text with the first seed.
// Results are kept in --work, so an interrupted run continues. Downloads Debian's package debian-handbook (26 languages).
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { prepareHandbook } from './adapt/prepare.mjs';
import { keptResult } from './kept-result.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';
import { meanWithInterval } from './seeds.mjs';

const { values } = parseArgs({
  options: {
    conversion: { type: 'string' },
    work: { type: 'string' },
    language: { type: 'string', default: 'fa-IR' },
    seeds: { type: 'string', default: '1,2,3' },
    rates: { type: 'string', default: '4e-4,2e-3,6e-3' },
    'baseline-rates': { type: 'string', default: '3e-4,1e-3,3e-3' },
    limit: { type: 'string', default: '30' },
    set: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
});
const { conversion, work, language, limit, out } = values;
if (conversion === undefined || work === undefined)
  misuse('--conversion names a conversion, --work a folder for results');
const [seeds, ownRates, baselineRates] = [values.seeds, values.rates, values['baseline-rates']].map((list) =>
  list.split(',').map(Number),
);
mkdirSync(work, { recursive: true });

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const data = prepareHandbook(join(work, 'data'), language);

/** Patches are to be as long as wanted in the language, however long they are in English. */
const DOMAINS = ['data.domains={language: {}, pairs: {}}', 'patcher.calibration_domain=language'];

const byteify = (...args) =>
  JSON.parse(
    execFileSync(process.execPath, [CLI, ...args, '--json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );

/** What the suites find of a model and of the Llama beside it, in one record each. */
function measured(dir, against, answers) {
  const common = ['--against', against, '--limit', limit, '--out', answers];
  const suites = [
    ...byteify('evaluate', dir, '--suite', 'bpb', 'patches', '--data', data.heldOut, ...common).suites,
    ...byteify('evaluate', dir, '--suite', 'translate', '--data', ...data.parallel, ...common).suites,
  ];
  const figure = (suite, metric, who) =>
    suites.find((one) => one.suite === suite).groups[0].metrics[metric]?.[who]?.value ?? null;
  const record = (who) => ({
    bits_per_byte: figure('bpb', 'bits_per_byte', who),
    bytes_per_step: figure('bpb', 'bytes_per_step', who),
    cuts_inside_characters: who === 'model' ? figure('patches', 'inside_character_cuts', who) : null,
    translation_bits_per_byte: figure('translate', 'label_bits_per_byte', who),
    chrf: figure('translate', 'chrf', who),
    bleu: figure('translate', 'bleu', who),
  });
  return { model: record('model'), source: record('source') };
}

const bestOf = (rated) => rated.reduce((a, b) => (b.bits_per_byte < a.bits_per_byte ? b : a));

/** @param {number} seed @param {{ own: readonly number[], baseline: readonly number[] }} rates to try */
async function resultOf(seed, rates) {
  const adapt = (dir, rate, more) =>
    byteify(
      ...['adapt', conversion, '--data', `language=${data.alone}`, `pairs=${data.pairs}`, '--out', dir, ...more],
      ...[`seed=${seed}`, `stages.0.learning_rate=${rate}`, ...DOMAINS, ...values.set].flatMap((set) => ['--set', set]),
    );
  /** What `train` finds with each rate, in a folder that it writes. */
  const rated = async (name, tried, train) => {
    const found = [];
    for (const rate of tried) {
      const folder = join(work, `${name}-${seed}-${rate}`);
      const result = await keptResult(join(folder, 'rated.json'), () => train(folder, rate));
      found.push({ rate, folder, ...result });
    }
    return found;
  };
  const adapted = await rated('adapted', rates.own, (folder, rate) => ({
    bits_per_byte: adapt(folder, rate, []).bits_per_byte,
  }));
  const best = bestOf(adapted);
  const baselines = await rated('baseline', rates.baseline, (folder, rate) => {
    const more = ['--token-baseline', '--set', `token_baseline.learning_rate=${rate}`];
    const { token_baseline: found } = adapt(best.folder, best.rate, more);
    // The next rate replaces it.
    cpSync(found.folder, folder, { recursive: true });
    return { flops: found.flops, bits_per_byte: found.bits_per_byte };
  });
  const baseline = bestOf(baselines);
  const found = measured(best.folder, baseline.folder, join(work, `answers-${seed}`));
  const withoutFolders = (all) => all.map(({ rate, bits_per_byte }) => ({ rate, bits_per_byte }));
  return {
    ...{ seed, flops: baseline.flops, rate: best.rate, baseline_rate: baseline.rate },
    ...{ adapted: found.model, token_baseline: found.source },
    ...{ rates: withoutFolders(adapted), baseline_rates: withoutFolders(baselines) },
  };
}

const keptOf = (seed, rates) => keptResult(join(work, `result-${seed}.json`), () => resultOf(seed, rates));
const before = measured(conversion, 'source', join(work, 'answers-before'));
const [firstSeed, ...otherSeeds] = seeds;
const first = await keptOf(firstSeed, { own: ownRates, baseline: baselineRates });
const chosen = { own: [first.rate], baseline: [first.baseline_rate] };
const results = [first];
for (const seed of otherSeeds) results.push(await keptOf(seed, chosen));

/** @type {[string, string, number][]} */
const COLUMNS = [
  ['bits per byte', 'bits_per_byte', 3],
  ['bytes per patch or token', 'bytes_per_step', 2],
  ['cuts inside characters', 'cuts_inside_characters', 3],
  ['translation: bits per byte', 'translation_bits_per_byte', 3],
  ['chrF', 'chrf', 1],
  ['BLEU', 'bleu', 1],
];
const row = (name, records) => [
  name,
  ...COLUMNS.map(([, key, decimals]) => {
    const found = records.map((record) => record[key]).filter((value) => value !== null);
    return found.length === 0 ? '' : meanWithInterval(found, decimals);
  }),
];
publish(out, `adapt-${language}`, {
  report: {
    command: 'npm run bench:adapt',
    ...{ conversion: basename(conversion), language, package: data.package, pairs: data.counts, settings: values.set },
    ...{ before, results },
  },
  markdown: [
    table(
      ['', ...COLUMNS.map(([head]) => head)],
      [
        row('the conversion before', [before.model]),
        row('its source before', [before.source]),
        row(
          'adapted, as bytes',
          results.map(({ adapted }) => adapted),
        ),
        row(
          'adapted, with its tokens',
          results.map(({ token_baseline: baseline }) => baseline),
        ),
      ],
    ),
    `${language}: ${data.counts.training} pairs of paragraphs to train on, ${data.counts.held_out} held out, of which at most ${limit} are translated after three examples. The learning rates, ${first.rate} for bytes and ${first.baseline_rate} for tokens, were the best of ${ownRates.join(', ')} and of ${baselineRates.join(', ')} with the first seed. ${seeds.length} seeds, with the 95 % interval of their mean.`,
  ].join('\n\n'),
});
