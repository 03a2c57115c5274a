/** @module Times training steps of a BLT folder on made-up bytes: the same code path as finetune, nothing written. */
import { BOS, BYTE_OFFSET, bltTensors } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import { disposeParams, loadParams, readBltConfig } from '../model/index.js';
import { openCheckpoint } from '../safetensors/index.js';
import { createSlot, disposeSlot, updateSlot } from './adamw.js';
import { groupOf } from './checkpoint.js';
import { accumulate, clip, globalNorm } from './gradients.js';
import { endToEndObjective } from './objective.js';

export interface BenchOptions {
  readonly rows: number;
  readonly rowBytes: number;
  readonly steps: number;
  readonly signal: AbortSignal;
  readonly onStep?: (done: number) => void;
}

export interface BenchResult {
  /** Of each timed step; a first one, not in the list, warms up. */
  readonly stepMs: number[];
  readonly bytesPerSecond: number;
  readonly peakRssBytes: number;
  /** Nats, of the last step. */
  readonly loss: number;
}

const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
const LEARNING_RATE = 1e-5;

/** Words of letters, so that the hash tables and patches see something like text. Deterministic. */
function madeUpRow(rowBytes: number, seed: number): PackedRow {
  const ids = new Int32Array(rowBytes);
  let state = seed + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  ids[0] = BOS;
  for (let i = 1; i < rowBytes; i++) ids[i] = BYTE_OFFSET + (next(6) === 0 ? 32 : 97 + next(26));
  const targets = new Int32Array(rowBytes);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(rowBytes).fill(1);
  weights[rowBytes - 1] = 0;
  return { ids, targets, weights, chunks: [{ start: 0, end: rowBytes }], byteCount: rowBytes - 1 };
}

/** @param folder a BLT checkpoint folder. The engine must be started. */
export async function benchTrainStep(folder: string, options: BenchOptions): Promise<BenchResult> {
  const { rows: rowCount, rowBytes, steps, signal, onStep } = options;
  const config = await readBltConfig(folder);
  const reader = await openCheckpoint(folder);
  const objective = endToEndObjective(config, []);
  const specs = bltTensors(config);
  const trained = specs.filter(objective.trains);
  const values = await loadParams(
    reader,
    trained.map(({ name }) => name),
  );
  const fixed = await loadParams(
    reader,
    specs.filter((spec) => !objective.trains(spec)).map(({ name }) => name),
  );
  await reader.close();
  const slots = trained.map((spec) => createSlot(spec.name, values.get(spec.name)!, groupOf(spec, {})));
  const stepMs: number[] = [];
  let last = Number.NaN;
  try {
    for (let step = 0; step <= steps; step++) {
      signal.throwIfAborted();
      const rows = Array.from({ length: rowCount }, (_, row) => madeUpRow(rowBytes, step * rowCount + row));
      const begun = performance.now();
      const { loss, gradients } = await accumulate(slots, [objective.loss(rows, fixed, rowCount * (rowBytes - 1))]);
      const clipped = clip(gradients, globalNorm(gradients), 1);
      slots.forEach((slot, i) => {
        updateSlot(slot, clipped[i]!, step + 1, LEARNING_RATE, ADAMW);
        clipped[i]!.dispose();
      });
      if (step > 0) {
        stepMs.push(performance.now() - begun);
        onStep?.(step);
      }
      last = loss;
    }
  } finally {
    slots.forEach(disposeSlot);
    disposeParams(fixed);
  }
  const seconds = stepMs.reduce((sum, ms) => sum + ms, 0) / 1000;
  return {
    stepMs,
    bytesPerSecond: (steps * rowCount * (rowBytes - 1)) / seconds,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    loss: last,
  };
}
