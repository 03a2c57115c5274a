// The results of bench:scale over seeds, as a table.
import { table } from '../markdown-table.mjs';
import { meanWithInterval, seedInterval } from '../seeds.mjs';
import { costOf, parametersOf, spreadOf } from './arms.mjs';

const meanOf = (values) => seedInterval(values).mean;

/**
 * @param {any[]} arms @param {any[]} results of each arm and seed, with the same seeds for all arms
 * @param {{ training_bytes: number }} text of one pass
 */
export function summarise(arms, results, text) {
  const runsOf = ({ arm }) => results.filter((result) => result.arm === arm).sort((a, b) => a.seed - b.seed);
  const first = runsOf(arms[0]);
  const uneven = results.find((result) => {
    const reference = first.find(({ seed }) => seed === result.seed);
    return result.training_bytes !== reference.training_bytes;
  });
  if (uneven !== undefined)
    throw new Error(`${uneven.arm}, seed ${uneven.seed}: has read other text than the first arm`);
  const summaries = arms.map(({ arm, config, bytesPerPatch, atBudget }) => {
    const runs = runsOf({ arm });
    const reached = meanOf(runs.map((run) => run.bytes_per_patch));
    const { flopsPerByte, globalShare } = costOf(config, reached);
    return {
      arm,
      at_budget: atBudget,
      global: {
        width: config.global.hiddenSize,
        layers: config.global.layers,
        parameters: parametersOf(config).global,
      },
      trained_parameters: parametersOf(config).trained,
      target_bytes_per_patch: bytesPerPatch,
      bytes_per_patch: reached,
      flops_per_byte: flopsPerByte,
      global_share: globalShare,
      training_flops: meanOf(runs.map((run) => run.training_flops)),
      bits_per_byte: runs.map((run) => run.bits_per_byte),
      minus_first: runs.map((run, i) => run.bits_per_byte - first[i].bits_per_byte),
      runs,
    };
  });
  const equal = summaries.filter((summary) => summary.at_budget);
  return {
    passes: first[0].training_bytes / text.training_bytes,
    cost_spread: spreadOf(equal.map((summary) => summary.flops_per_byte)),
    arms: summaries,
  };
}

const HEADS = [
  ...['global transformer', 'its parameters', 'bytes per patch, wanted', 'reached', 'MFLOP per byte', 'its share'],
  ...['training TFLOP', 'bits per byte', 'minus the first'],
];
const millions = (value, decimals = 2) => (value / 1e6).toFixed(decimals);

export function tableOf({ arms }) {
  const rows = arms.map((arm, i) => [
    `${arm.global.width} × ${arm.global.layers}${arm.at_budget ? '' : ', control'}`,
    `${millions(arm.global.parameters)} M`,
    arm.target_bytes_per_patch.toFixed(2),
    arm.bytes_per_patch.toFixed(2),
    millions(arm.flops_per_byte, 3),
    `${Math.round(100 * arm.global_share)} %`,
    (arm.training_flops / 1e12).toFixed(2),
    meanWithInterval(arm.bits_per_byte),
    i === 0 ? '' : meanWithInterval(arm.minus_first),
  ]);
  return table(HEADS, rows, { numbers: true });
}

/** What the table shows, in sentences. @param {any} summary @param {{ name: string, held_out_bytes: number }} text */
export function captionOf({ passes, cost_spread: spread, arms }, { name, held_out_bytes: heldOut }) {
  const { runs } = arms[0];
  const over = runs.length === 1 ? 'one seed' : `means over ${runs.length} seeds with their 95 % intervals`;
  return [
    `Text: ${name}. Bits per byte of ${Math.round(heldOut / 1000)} KB of it that are held out: ${over}.`,
    `Each model reads ${millions(runs[0].training_bytes)} MB, which is ${passes.toFixed(1)} passes over the training text.`,
    'The difference from the first is taken seed by seed.',
    `The costs of all but the control differ by ${(100 * spread).toFixed(1)} % at most.`,
  ].join(' ');
}
