// The results of bench:smollm2 and bench:patchers as Markdown tables.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { valuesIn } from '../json-lines.mjs';
import { table } from '../markdown-table.mjs';
import { partsOf } from '../stage-parts.mjs';

const text = (...path) => readFileSync(join(...path), 'utf8');

/** The results of a conversion's stages. Earlier stages have a folder each in `run`; the last one is in `run` itself. */
export function stageResults(dir) {
  const { stages } = parse(text(dir, 'recipe.yaml'));
  return stages.map(({ kind, steps = 0 }, i) => {
    const run = i === stages.length - 1 ? join(dir, 'run') : join(dir, 'run', `stage-${i}`);
    const curve = valuesIn(join(run, 'metrics.jsonl'));
    const { validation_bits_per_byte } = curve.findLast((point) => point.validation_bits_per_byte !== undefined) ?? {};
    return { kind, steps, flops: curve.at(-1).flops, validation_bits_per_byte, ...partsOf(run) };
  });
}

const bits = (value) => value?.toFixed(3) ?? '';
const percent = (share) => `${Math.round(100 * share)} %`;

/** The source's bits per byte on the held-out text of each corpus that the arms were trained on, and whether its weights are quantised. */
function sourceLine(arms) {
  const byCorpus = new Map(arms.map(({ corpus = 'small', finetune }) => [corpus, bits(finetune.source_bits_per_byte)]));
  const types = arms.flatMap(({ source }) => source?.quantised_types ?? []);
  const weights = types.length === 0 ? '' : ` Its weights are quantised (${[...new Set(types)].join(', ')}).`;
  const figures =
    byCorpus.size === 1
      ? `${[...byCorpus.values()][0]} bits per byte`
      : [...byCorpus].map(([corpus, found]) => `${found} bits per byte of the ${corpus} corpus`).join(', ');
  return `Source: ${figures}.${weights}`;
}

/** The bits per byte of a stage's result, by the columns that show them. */
const MEASURED = {
  'source in these patches': 'source_in_patches_bits_per_byte',
  'source fed by the encoder': 'encoder_bits_per_byte',
  'decoder fed by the source': 'decoder_bits_per_byte',
  model: 'validation_bits_per_byte',
};

/** Bits per byte of held-out text after each stage: of each part by itself (see `partLosses`), and of the model. */
export function summaryTable(arms) {
  const rows = arms.flatMap(({ name, stages, finetune: { source_bits_per_byte: source } }) =>
    stages.map((stage, i) => {
      const { kind, steps, flops, validation_bits_per_byte: model } = stage;
      const what = steps === 0 ? kind : `${kind}, ${steps} steps`;
      const kept = model === undefined ? '' : percent(source / model);
      const measured = Object.values(MEASURED).map((key) => bits(stage[key]));
      return [i === 0 ? name : '', what, (flops / 1e12).toFixed(0), ...measured, kept];
    }),
  );
  const heads = ['method', 'stage', 'TFLOP so far', ...Object.keys(MEASURED), 'retention'];
  return `${sourceLine(arms)}\n\n${table(heads, rows)}`;
}

/** Bits per byte of unseen text, by kind. Empty if no arm was measured so. */
export function kindsTable(arms) {
  const rows = arms.flatMap(({ name, kinds = [] }) =>
    kinds.map(({ kind, bits_per_byte: model, bytes_per_patch: perPatch, source, retention }, i) => [
      i === 0 ? name : '',
      ...[kind, bits(source.bits_per_byte), bits(model), percent(retention)],
      ...[perPatch.toFixed(2), source.bytes_per_token.toFixed(2)],
    ]),
  );
  const heads = ['method', 'unseen text', 'source', 'model', 'retention', 'bytes per patch', 'bytes per token'];
  return rows.length === 0 ? '' : table(heads, rows);
}

/** How well patches follow the source's tokens on unseen text, with one row per patcher and kind of text. */
export function patcherTable(arms) {
  const rows = arms.flatMap(({ name, unseen }) =>
    unseen.map((found, i) => [
      i === 0 ? name : '',
      found.kind,
      found.bytes_per_patch.toFixed(2),
      `${percent(found.cut_precision)} / ${percent(found.cut_recall)}`,
      percent(found.late_cut_fraction),
      bits(found.source_marginal_bits_per_byte),
      `+${bits(found.source_in_patches_bits_per_byte - found.source_marginal_bits_per_byte)}`,
      percent(found.fresh_first_byte_fraction),
    ]),
  );
  const cuts = ['bytes per patch', 'precision / recall', 'late'];
  const costs = ['source, own tokens', 'in these patches', 'first bytes’ bits from a fresh state'];
  return table(['patcher', 'text', ...cuts, ...costs], rows);
}
