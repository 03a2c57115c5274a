/**
 * @module One optimizer step as compiled functions: forward pass, backward pass, clipping, and the optimizer's in-place updates. A step of one
 * micro-batch is a single function; a step of several, or of several processes, uses two, one that accumulates gradients and one that applies them.
 * In eager mode the same code runs operation by operation.
 */
import { type RunMode, retracedFunction, tf } from '../../engine/index.js';
import { batchInputs } from '../../model/index.js';
import type { StepBatch } from '../batches/step-batch.js';
import { corrections } from '../optimizers/adamw.js';
import { accumulatedStep, type CompiledStep, type StepTensors } from './gradient-accumulation.js';
import type { GradientSum } from './gradient-sum.js';
import { callGrouped } from './grouped-call.js';
import { applyGradients, type StepOptions, weightedGradients } from './step-gradients.js';
import { openRows, rowValuesFrom } from './table-rows.js';

export interface TrainStepOptions extends StepOptions {
  readonly mode: RunMode;
  /** Adds up the gradients of the processes that train together; absent if this one trains alone. */
  readonly overProcesses?: GradientSum;
}

export interface StepInput extends Pick<StepBatch, 'batches' | 'sparseRows' | 'weight'> {
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
}

export interface StepOutput {
  /** The summed loss divided by the step's weight: nats per byte for next-byte losses. */
  readonly loss: number;
  /** The terms of the loss, also divided by the weight, by the names in the objective's `parts`. */
  readonly parts: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
}

export interface TrainStep {
  run(input: StepInput): Promise<StepOutput>;
  dispose(): void;
}

/** A step of one micro-batch, as one compiled function. */
function singleBatchStep(options: StepOptions, mode: RunMode): CompiledStep {
  const fn = retracedFunction(mode);
  return {
    async run([batch], { rates, inverseWeight, rows }) {
      const { tensors, key, batchOf } = batchInputs(batch!, options.objective.fields);
      const groups = { rates, weight: [inverseWeight] as const, rows, fields: tensors };
      const out = await callGrouped(
        fn,
        groups,
        (given) => {
          const [inverse] = given.weight;
          const values = rowValuesFrom(options.table, given.rows);
          const { losses, gradients } = weightedGradients(options, batchOf(given.fields), values, inverse);
          return [losses, ...applyGradients(options, gradients, given.rows, given.rates)];
        },
        key,
      );
      tf.dispose([...tensors]);
      return out;
    },
    dispose: () => fn.dispose(),
  };
}

/** The engine must be started. The caller disposes the trained and the frozen parameters. */
export function createTrainStep(options: TrainStepOptions): TrainStep {
  const { objective, table, adamw, mode, overProcesses = null } = options;
  const [whole, summed] = [singleBatchStep(options, mode), accumulatedStep(options, mode, overProcesses)];
  return {
    async run({ batches, sparseRows, weight, step, learningRate }) {
      const [firstCorrection, secondCorrection] = corrections(step, adamw.betas);
      const rates = [tf.scalar(learningRate), tf.scalar(firstCorrection), tf.scalar(secondCorrection)] as const;
      const inverseWeight = tf.scalar(1 / weight);
      const { inputs: rows, write, dispose } = openRows(table, sparseRows);
      const tensors: StepTensors = { rates, inverseWeight, rows, rowCount: sparseRows?.count ?? 0 };
      const out = await (batches.length === 1 && overProcesses === null ? whole : summed).run(batches, tensors);
      const [losses, norm, ...next] = out as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
      write(next);
      const [loss, ...parts] = losses.dataSync();
      const result = {
        loss: loss!,
        parts: Object.fromEntries(objective.parts.map((name, i) => [name, parts[i]!])),
        gradientNorm: norm.dataSync()[0]!,
      };
      dispose();
      tf.dispose([...rates, inverseWeight, ...out]);
      return result;
    },
    dispose() {
      whole.dispose();
      summed.dispose();
    },
  };
}
