// Judges measurements as ok or failed, and formats the results as lines and as a document.
import { rateOf } from './time-steps.mjs';

/**
 * @typedef {object} Result one line of check:gpu
 * @property {string} name
 * @property {boolean} ok
 * @property {string} detail the figures for people, or the reason of the failure
 * @property {Record<string, unknown>} figures the figures for programs, with units in their keys
 */

/** The largest relative difference between the memory plan and the measured peak, as on a CPU. */
export const MEMORY_TOLERANCE = 0.15;
/** The largest differences from the reference values of the golden models; those of gradients are relative. */
export const GOLDEN_LIMITS = { entropies: 1e-4, logits: 1e-4, loss: 1e-4, gradients: 1e-3 };

export const EXIT = { ok: 0, failed: 1, noGpu: 3 };

const GIGA = 1e9;
const TERA = 1e12;
const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
const gigabytes = (/** @type {number} */ bytes) => `${(bytes / GIGA).toFixed(2)} GB`;
const whole = (/** @type {number} */ n) => Math.round(n).toLocaleString('en-US');

/** @param {string} name @param {unknown} why @returns {Result} */
export function failed(name, why) {
  return { name, ok: false, detail: String(why), figures: {} };
}

/**
 * @param {readonly { mode: string, patchesIdentical: boolean, entropies: number, logits: number, loss: number, gradients: number }[]} modes
 * @returns {Result}
 */
export function judgeGolden(modes) {
  const problems = [];
  for (const { mode, patchesIdentical, ...differences } of modes) {
    if (!patchesIdentical) problems.push(`${mode}: patches differ`);
    for (const [what, limit] of Object.entries(GOLDEN_LIMITS)) {
      const found = differences[/** @type {keyof typeof GOLDEN_LIMITS} */ (what)];
      // The negation also reports NaN.
      if (!(found <= limit)) problems.push(`${mode}: ${what} differ by ${found.toExponential(1)}, more than ${limit}`);
    }
  }
  const measured = modes.map(
    ({ mode, logits, gradients }) =>
      `${mode}: logits within ${logits.toExponential(1)}, gradients within ${gradients.toExponential(1)}`,
  );
  return {
    name: 'golden parity',
    ok: problems.length === 0 && modes.length > 0,
    detail: problems.length > 0 ? problems.join('; ') : `${measured.join('; ')}; patches identical`,
    figures: {
      limits: GOLDEN_LIMITS,
      modes: modes.map(({ patchesIdentical, ...rest }) => ({ ...rest, patches_identical: patchesIdentical })),
    },
  };
}

/**
 * @typedef {object} TimedSteps
 * @property {number} rows @property {number} rowBytes @property {number} bytesPerPatch @property {number} hashVocab
 * @property {number} parameters trained parameters
 * @property {number} flopsPerByte training FLOPs per byte
 * @property {number} firstMs milliseconds of the first step, which compiles
 * @property {readonly { ms: number, bytes: number, loss: number }[]} steps the later steps
 */

/**
 * @param {TimedSteps} timed
 * @param {{ flopsPerSecond: number, source: 'stated' | 'measured' }} peak
 * @param {number} matmulFlopsPerSecond measured
 * @returns {Result}
 */
export function judgeStep(timed, peak, matmulFlopsPerSecond) {
  const { steps, flopsPerByte, firstMs, parameters, rows, rowBytes, bytesPerPatch, hashVocab } = timed;
  const { ms, bytesPerSecond } = rateOf(steps);
  const share = (bytesPerSecond * flopsPerByte) / peak.flopsPerSecond;
  const problems = [];
  if (steps.some(({ loss }) => !Number.isFinite(loss))) problems.push('the loss is not a number');
  if (!(share > 0)) problems.push('no step was timed');
  if (share > 1) problems.push('faster than the GPU’s peak: the clock or the FLOP count is wrong');
  const of = `${percent(share)} of ${Number((peak.flopsPerSecond / TERA).toPrecision(3))} TFLOP/s (${peak.source} peak, dense bfloat16)`;
  const model = `${(parameters / GIGA).toFixed(2)} G parameters, hash tables of ${whole(hashVocab)} rows`;
  const figures = `${whole(bytesPerSecond)} bytes/s, ${of}, ${ms.toFixed(0)} ms per step of ${rows} x ${rowBytes} bytes; ${model}`;
  return {
    name: 'compiled step',
    ok: problems.length === 0,
    detail: problems.length === 0 ? figures : `${problems.join('; ')} (${figures})`,
    figures: {
      precision: 'bfloat16',
      trained_parameters: parameters,
      hash_vocab: hashVocab,
      rows,
      sequence_length: rowBytes,
      bytes_per_patch: bytesPerPatch,
      first_step_ms: firstMs,
      step_ms: steps.map((step) => step.ms),
      losses: steps.map(({ loss }) => loss),
      bytes_per_second: bytesPerSecond,
      flops_per_byte: flopsPerByte,
      peak_flops_per_second: peak.flopsPerSecond,
      peak_source: peak.source,
      share_of_peak: share,
      matmul_flops_per_second: matmulFlopsPerSecond,
    },
  };
}

/**
 * @param {number} plannedBytes
 * @param {{ bytes: number, how: string } | null} measured null if it could not be measured
 * @returns {Result}
 */
export function judgeMemory(plannedBytes, measured) {
  const name = 'memory plan';
  if (measured === null)
    return { ...failed(name, 'the peak could not be measured'), figures: { planned_bytes: plannedBytes } };
  const off = plannedBytes / measured.bytes - 1;
  const ok = Math.abs(off) <= MEMORY_TOLERANCE;
  const sign = off < 0 ? '' : '+';
  const limit = ok ? '' : `, more than ${percent(MEMORY_TOLERANCE)} off`;
  return {
    name,
    ok,
    detail: `planned ${gigabytes(plannedBytes)}, peak ${gigabytes(measured.bytes)} (${measured.how}): ${sign}${percent(off)}${limit}`,
    figures: { planned_bytes: plannedBytes, peak_bytes: measured.bytes, measured_by: measured.how, difference: off },
  };
}

/** The result as one line. @param {Result} result */
export function lineOf({ name, ok, detail }) {
  return `${ok ? 'ok' : 'failed'}`.padEnd(8) + `${name}:`.padEnd(16) + detail.replaceAll(/\s*\n\s*/g, ' ');
}

/** @param {readonly Result[]} results */
export function exitCodeOf(results) {
  return results.length > 0 && results.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
}

/**
 * The document of --json.
 * @param {import('./nvidia-smi.mjs').Gpu | null} gpu @param {readonly Result[]} results @param {string | null} reason why there is no GPU
 */
export function documentOf(gpu, results, reason = null) {
  if (gpu === null) return { gpu: null, reason, passed: false, checks: [] };
  return {
    gpu: {
      name: gpu.name,
      driver: gpu.driver,
      memory_bytes: gpu.totalBytes,
      compute_capability: gpu.computeCapability,
      sliced: gpu.sliced,
    },
    passed: exitCodeOf(results) === EXIT.ok,
    checks: results,
  };
}
