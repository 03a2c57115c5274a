/** AdamW with clipping in double precision, on dense eager gradients: the reference for a training step. */
import { bltTensors } from '../../src/blt/index.js';
import { tf } from '../../src/engine/index.js';
import { lossAndGradients } from '../../src/finetune/loop/gradients.js';
import type { AdamWOptions } from '../../src/finetune/optimizers/adamw.js';
import type { Objective } from '../../src/finetune/stages/objective.js';
import { batchTensors } from '../../src/model/index.js';
import type { Arrays, PartialBatch } from '../../src/patching/index.js';
import { type Start, TABLE } from './training.js';

interface Parameter {
  readonly shape: readonly number[];
  readonly decay: boolean;
  readonly value: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

export interface ReferenceStep {
  readonly loss: number;
  /** Of all gradients together, before clipping. */
  readonly norm: number;
  readonly gradients: ReadonlyMap<string, Float64Array>;
}

export interface Reference {
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** @param rows the rows of the table that the step reads; null updates all, as dense AdamW does */
  step(input: {
    readonly whole: readonly PartialBatch<Arrays>[];
    readonly weight: number;
    readonly learningRate: number;
    readonly rows: ReadonlySet<number> | null;
  }): ReferenceStep;
}

/** Norms and embeddings by their names in a checkpoint. */
const UNDECAYED = /norm\.weight$|layernorm\.weight$|embed_tokens\.weight$|^model\.encoder_hash_tok_embedding\.weight$/;

export function createReference(options: {
  readonly start: Start;
  readonly objective: Objective;
  readonly adamw: AdamWOptions;
  readonly clipNorm: number;
}): Reference {
  const { start, objective, adamw, clipNorm } = options;
  const parameters = new Map<string, Parameter>();
  for (const spec of bltTensors(start.config).filter(objective.trains)) {
    const { shape, values } = start.weights.get(spec.name)!;
    const zeros = () => new Float64Array(values.length);
    const value = Float64Array.from(values);
    parameters.set(spec.name, {
      shape,
      decay: !UNDECAYED.test(spec.name),
      value,
      first: zeros(),
      second: zeros(),
    });
  }
  let steps = 0;

  /** The sum over micro-batches of their share of the mean loss, and its gradients. */
  function gradientsOf(
    whole: readonly PartialBatch<Arrays>[],
    weight: number,
  ): { loss: number; sums: Map<string, Float64Array> } {
    const sums = new Map([...parameters].map(([name, { value }]) => [name, new Float64Array(value.length)]));
    let total = 0;
    for (const arrays of whole) {
      tf.tidy(() => {
        const fixed = [...start.weights].map(
          ([name, { shape, values }]) => [name, tf.tensor(values, [...shape])] as const,
        );
        const moved = new Map(
          [...parameters].map(([name, { shape, value }]) => [name, tf.tensor(Float32Array.from(value), [...shape])]),
        );
        const batch = batchTensors(arrays, objective.fields);
        const { loss, gradients } = lossAndGradients(
          moved,
          (values) =>
            tf.div(
              objective.loss(new Map([...fixed, ...values]), batch, { gradientCheckpointing: false }).value,
              weight,
            ) as tf.Scalar,
        );
        total += loss.dataSync()[0]!;
        [...moved.keys()].forEach((name, i) => {
          const sum = sums.get(name)!;
          gradients[i]!.dataSync().forEach((slope, at) => {
            sum[at]! += slope;
          });
        });
      });
    }
    return { loss: total, sums };
  }

  return {
    parameters,
    step({ whole, weight, learningRate, rows }) {
      steps++;
      const { loss, sums } = gradientsOf(whole, weight);
      const squares = [...sums.values()].map((values) => values.reduce((sum, slope) => sum + slope * slope, 0));
      const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
      const clip = Math.min(1, clipNorm / (norm + 1e-6));
      const [beta1, beta2] = adamw.betas;
      for (const [name, { value, first, second, decay, shape }] of parameters) {
        const gradient = sums.get(name)!;
        const width = value.length / shape[0]!;
        for (let i = 0; i < value.length; i++) {
          if (name === TABLE && rows !== null && !rows.has(Math.floor(i / width))) continue;
          const g = clip * gradient[i]!;
          first[i] = beta1 * first[i]! + (1 - beta1) * g;
          second[i] = beta2 * second[i]! + (1 - beta2) * g * g;
          if (decay) value[i]! *= 1 - learningRate * adamw.weightDecay;
          const denominator = Math.sqrt(second[i]! / (1 - beta2 ** steps)) + adamw.epsilon;
          value[i]! -= (learningRate * first[i]!) / (1 - beta1 ** steps) / denominator;
        }
      }
      return { loss, norm, gradients: sums };
    },
  };
}
