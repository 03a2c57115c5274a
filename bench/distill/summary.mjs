// Summarises the arms of bench:distill: means over the seeds, differences at equal operations with their bootstrap intervals, and after how
// many operations each arm reaches A's final result.
import { ARMS } from './arms.mjs';

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const bitsOf = (documents) =>
  documents.reduce((sum, { nats }) => sum + nats, 0) /
  (Math.LN2 * documents.reduce((sum, { bytes }) => sum + bytes, 0));

/** A generator of random numbers in [0, 1): mulberry32. */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const RESAMPLES = 10_000;

/**
 * Bits per byte of `a` minus those of `b` on the same documents and seeds, with the 95 % interval of a paired bootstrap over documents:
 * each resample uses the same documents for both arms and all seeds.
 */
export function pairedDifference(a, b) {
  const count = a[0].length;
  const next = randomOf(1);
  const differenceOf = (sample) =>
    mean(a.map((documents, seed) => bitsOf(sample.map((i) => documents[i])) - bitsOf(sample.map((i) => b[seed][i]))));
  const samples = Array.from({ length: RESAMPLES }, () =>
    differenceOf(Array.from({ length: count }, () => Math.floor(next() * count))),
  ).sort((x, y) => x - y);
  const at = (share) => samples[Math.floor(share * (RESAMPLES - 1))];
  return { difference: differenceOf([...a[0].keys()]), low: at(0.025), high: at(0.975) };
}

/** The operations after which a curve first has at most `bits` bits per byte; null if it never has. */
const flopsToReach = (curve, bits) => curve.find(({ bits_per_byte }) => bits_per_byte <= bits)?.flops ?? null;

/** Bits per byte of a curve after `flops` operations, interpolated linearly, since the last step of an arm may exceed the budget. */
export function bitsAt(curve, flops) {
  const after = curve.findIndex((point) => point.flops >= flops);
  if (after === -1) return curve.at(-1).bits_per_byte;
  if (after === 0) return curve[0].bits_per_byte;
  const [a, b] = [curve[after - 1], curve[after]];
  return a.bits_per_byte + ((flops - a.flops) / (b.flops - a.flops)) * (b.bits_per_byte - a.bits_per_byte);
}

export function summarise(results, { sourceBitsPerByte, budget, heldOutBytes }) {
  const runsOf = (arm) => results.filter((result) => result.arm === arm);
  const names = [...new Set(results.map(({ arm }) => arm))];
  const paper = runsOf('A');
  const spent = Math.min(budget, ...paper.map(({ curve }) => curve.at(-1).flops));
  const target = paper.length === 0 ? null : mean(paper.map(({ curve }) => curve.at(-1).bits_per_byte));
  return {
    command: 'npm run bench:distill',
    budget_flops: budget,
    held_out_bytes: heldOutBytes,
    source_bits_per_byte: sourceBitsPerByte,
    arms: names.map((arm) => {
      const runs = runsOf(arm);
      const ends = runs.map(({ curve }) => curve.at(-1).bits_per_byte);
      const soon = target === null ? [] : runs.map(({ curve }) => flopsToReach(curve, target));
      const baseline = paper.filter(({ seed }) => runs.some((run) => run.seed === seed));
      const comparable = arm !== 'A' && baseline.length === runs.length && runs.length > 0;
      return {
        arm,
        name: ARMS[arm].name,
        bytes_per_patch: mean(runs.map(({ patcher }) => patcher.bytesPerPatch)),
        steps: runs[0].steps,
        flops: mean(runs.map(({ curve }) => curve.at(-1).flops)),
        bits_per_byte: mean(ends),
        bits_per_byte_by_seed: ends,
        bits_per_byte_at_a_flops: mean(runs.map(({ curve }) => bitsAt(curve, spent))),
        retention: sourceBitsPerByte / mean(ends),
        below_a: comparable
          ? pairedDifference(
              baseline.map(({ documents }) => documents),
              runs.map(({ documents }) => documents),
            )
          : null,
        flops_to_a_end: soon.length > 0 && soon.every((flops) => flops !== null) ? mean(soon) : null,
        curves: runs.map(({ seed, curve }) => ({ seed, curve })),
      };
    }),
  };
}

export function tableOf({ arms, source_bits_per_byte: source, budget_flops: budget, held_out_bytes: bytes }) {
  const rows = arms.map(({ arm, name, bytes_per_patch, flops, bits_per_byte, below_a, flops_to_a_end, ...more }) => {
    const { bits_per_byte_by_seed: ends, bits_per_byte_at_a_flops: atEqual } = more;
    const spread = `${Math.min(...ends).toFixed(3)} to ${Math.max(...ends).toFixed(3)}`;
    const below =
      below_a === null
        ? ''
        : `${below_a.difference.toFixed(3)} [${below_a.low.toFixed(3)}, ${below_a.high.toFixed(3)}]`;
    const soon =
      arm === 'A' ? '' : flops_to_a_end === null ? 'not' : `${Math.round((100 * flops_to_a_end) / budget)} %`;
    return `| ${arm} | ${name} | ${bytes_per_patch.toFixed(2)} | ${(flops / 1e12).toFixed(1)} | ${atEqual.toFixed(3)} | ${bits_per_byte.toFixed(3)} (${spread}) | ${below} | ${soon} |`;
  });
  return [
    `Source: ${source.toFixed(3)} bits per byte. Budget: ${(budget / 1e12).toFixed(1)} TFLOP per arm, including the source’s forward passes. Held out: ${bytes.toLocaleString('en')} bytes.`,
    '',
    '| arm | | bytes per patch | TFLOP | bits per byte at A’s TFLOP | at its end, mean (seeds) | below A, 95 % interval | A’s end reached at |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
