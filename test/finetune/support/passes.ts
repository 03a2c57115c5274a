/** A model's loss, logits and gradients, computed as in training: eagerly, as a graph, or with XLA. */
import { bltTensors } from '../../../src/blt/index.js';
import {
  type CompileMode,
  compile,
  createVariable,
  crossEntropySum,
  type Precision,
  signatureOf,
  tf,
  type Variable,
  withPrecision,
} from '../../../src/engine/index.js';
import { lossAndGradients } from '../../../src/finetune/loop/gradients.js';
import { BLT_FIELDS, type BltModel, batchInputs, bltForward, cutIntoPatches } from '../../../src/model/index.js';
import { learningFields, withDocuments } from '../../../src/patching/index.js';
import { packedRow } from '../../support/packed-row.js';

export interface Passes {
  readonly loss: number;
  /** [positions * 260]. */
  readonly logits: Float32Array;
  /** By parameter name, without the patcher's. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

export interface PassOptions {
  readonly precision: Precision;
  readonly gradientCheckpointing: boolean;
}

/** Runs a model's forward and backward pass over one row in any mode of a step. The two compiled modes share one trace. */
export function passesOf(model: BltModel, texts: readonly (readonly number[])[], options: PassOptions) {
  const { config, params } = model;
  const row = packedRow(texts);
  const { batch } = cutIntoPatches(params, config, [row]);
  const arrays = { ...withDocuments(batch), ...learningFields([row]) };
  const { tensors: inputs, batchOf } = batchInputs(arrays, [...BLT_FIELDS, 'targets', 'weights']);
  const names = bltTensors(config).flatMap(({ name, part }) => (part === 'patcher' ? [] : [name]));
  const variables = new Map<string, Variable>(names.map((name) => [name, createVariable(params.get(name)!)]));
  const { precision, gradientCheckpointing } = options;
  const body = (given: readonly tf.Tensor[]): tf.Tensor[] => {
    const batch = batchOf(given);
    const values = new Map([...variables].map(([name, variable]) => [name, variable.read()]));
    let logits: tf.Tensor | null = null;
    const { loss, gradients } = lossAndGradients(values, (now) =>
      withPrecision(precision, () => {
        logits = tf.keep(bltForward(now, config, batch, { gradientCheckpointing }));
        return crossEntropySum(logits, batch.targets, batch.weights) as tf.Scalar;
      }),
    );
    // The clone belongs to the enclosing tidy scope.
    const out = tf.clone(logits!);
    tf.dispose(logits!);
    return [loss, out, ...gradients];
  };
  const compiled = compile((...given) => body(given), signatureOf(inputs));
  const toPasses = ([loss, logits, ...gradients]: readonly tf.Tensor[]): Passes => ({
    loss: loss!.dataSync()[0]!,
    logits: logits!.dataSync() as Float32Array,
    gradients: new Map(names.map((name, i) => [name, gradients[i]!.dataSync() as Float32Array])),
  });
  return {
    async run(mode: CompileMode | 'eager'): Promise<Passes> {
      const out = mode === 'eager' ? tf.tidy(() => body(inputs)) : await compiled.call(inputs, mode);
      const passes = toPasses(out);
      tf.dispose(out);
      return passes;
    },
    dispose() {
      compiled.dispose();
      tf.dispose([...inputs]);
      for (const variable of variables.values()) variable.dispose();
    },
  };
}

/** |found - wanted| / |wanted|, as norms over all values of all pairs. */
export function relativeError(pairs: Iterable<readonly [Float32Array, Float32Array]>): number {
  let [difference, norm] = [0, 0];
  for (const [found, wanted] of pairs) {
    if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
    wanted.forEach((value, i) => {
      difference += (found[i]! - value) ** 2;
      norm += value ** 2;
    });
  }
  return Math.sqrt(difference / norm);
}

/** Pairs of gradients of the same parameter. */
export function* gradientPairs(found: Passes, wanted: Passes): Generator<readonly [Float32Array, Float32Array]> {
  for (const [name, gradient] of wanted.gradients) yield [found.gradients.get(name)!, gradient];
}
