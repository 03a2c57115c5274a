/**
 * @module One optimizer step as compiled functions: forward, backward, clipping and the optimizer on variables that are updated in place. With one
 * micro-batch it is one function; with several, one adds up gradients and one applies them. Eagerly the very same code runs operation
 * by operation.
 */
import {
  fuseUpdate,
  type Precision,
  type RunMode,
  signatureOf,
  type TensorFunction,
  tensorFunction,
  tf,
  type Variable,
  withPrecision,
  zeroVariable,
} from '../../engine/index.js';
import type { BatchShape, BatchTensors, Params } from '../../model/index.js';
import { batchTensor } from '../../model/index.js';
import type { BatchArrays } from '../../patching/index.js';
import type { TouchedRows } from '../batches/sparse-rows.js';
import {
  type AdamWOptions,
  corrections,
  type ParameterState,
  type StepScalars,
  updatedRows,
  updateParameter,
} from '../optimizers/adamw.js';
import { updateMuonParameter } from '../optimizers/muon.js';
import type { Objective } from '../stages/objective.js';
import { clipScale, globalNorm, lossAndGradients } from './gradients.js';

export interface TrainStepOptions {
  readonly objective: Objective;
  /** Parameters that every step moves. */
  readonly parameters: readonly ParameterState[];
  /** A table of which a step moves the rows it reads; its variables have one spare row more than the tensor. Null when it is frozen. */
  readonly table: ParameterState | null;
  /** Parameters that are only read. */
  readonly fixed: ReadonlyMap<string, Variable>;
  readonly adamw: AdamWOptions;
  readonly clipNorm: number;
  /** Rows and positions of a micro-batch. */
  readonly shape: BatchShape;
  readonly mode: RunMode;
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keep only each layer's input for the backward pass. */
  readonly gradientCheckpointing: boolean;
}

export interface StepInput {
  /** The micro-batches; with a table, `hashRows` are places in `touched`. */
  readonly batches: readonly BatchArrays[];
  readonly touched: TouchedRows | null;
  /** What the whole step's loss is divided by. */
  readonly weight: number;
  /** Counts from 1. */
  readonly step: number;
  readonly learningRate: number;
}

export interface StepOutput {
  /** The sum over the step divided by its weight: of next-byte losses, nats a byte. */
  readonly loss: number;
  /** What it is made of, likewise, by the objective's names. */
  readonly parts: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
}

export interface TrainStep {
  run(input: StepInput): Promise<StepOutput>;
  dispose(): void;
}

const UPDATES = { adamw: updateParameter, muon: updateMuonParameter } as const;

type Body = (inputs: readonly tf.Tensor[]) => readonly tf.Tensor[];

/** Runs a function by its name: compiled anew where its inputs' shapes are new, or eagerly. */
function runner(mode: RunMode) {
  const known = new Map<string, { signature: string; compiled: TensorFunction }>();
  return {
    async run(name: string, body: Body, inputs: readonly tf.Tensor[]): Promise<readonly tf.Tensor[]> {
      const signature = JSON.stringify(signatureOf(inputs));
      let entry = known.get(name);
      if (entry?.signature !== signature) {
        entry?.compiled.dispose();
        entry = { signature, compiled: tensorFunction((...given) => body(given), signatureOf(inputs), mode) };
        known.set(name, entry);
      }
      return await entry.compiled.call(inputs);
    },
    dispose() {
      for (const { compiled } of known.values()) compiled.dispose();
      known.clear();
    },
  };
}

/** The function's inputs as one list, and back: names in order. */
function flatten(batch: BatchArrays): { names: string[]; tensors: tf.Tensor[] } {
  const names = Object.keys(batch).sort();
  return { names, tensors: names.map((name) => batchTensor(batch[name]!)) };
}

const named = (names: readonly string[], tensors: readonly tf.Tensor[]): BatchTensors =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));

/** The engine must be started. The caller disposes the parameters and the fixed parameters. */
export function createTrainStep(options: TrainStepOptions): TrainStep {
  const { objective, parameters, table, fixed, adamw, clipNorm, shape, mode, precision, gradientCheckpointing } =
    options;
  const { run, dispose } = runner(mode);
  /** Sums of gradients, for steps of several micro-batches. */
  let sums: readonly Variable[] | null = null;

  /** @param rows of the table, where it is trained. */
  function gradientsOf(batch: BatchTensors, rows: tf.Tensor | undefined, perPosition: tf.Tensor) {
    const held = new Map([...fixed].map(([name, variable]) => [name, variable.readFrozen()]));
    const moved = new Map(parameters.map(({ name, value }) => [name, value.read()]));
    if (table !== null) moved.set(table.name, rows!);
    let measured: tf.Tensor | null = null;
    const { loss, gradients } = lossAndGradients(moved, (values) => {
      const params: Params = new Map([...held, ...values]);
      const { value, parts } = withPrecision(precision, () =>
        objective.loss(params, batch, shape, { gradientCheckpointing }),
      );
      measured = tf.keep(tf.mul(tf.stack([value, ...parts]), perPosition));
      return tf.mul(value, perPosition) as tf.Scalar;
    });
    // Belongs to the scope around it again, which releases it.
    const losses = tf.clone(measured!);
    tf.dispose([loss, measured!]);
    return { losses, gradients };
  }

  /** Clips, updates the parameters, and gives what the step reports and the table's next rows. */
  function apply(
    gradients: readonly tf.Tensor[],
    rows: readonly tf.Tensor[],
    losses: tf.Tensor,
    rates: readonly tf.Tensor[],
  ): readonly tf.Tensor[] {
    const norm = globalNorm(gradients);
    const [learningRate, firstCorrection, secondCorrection] = rates as [tf.Tensor, tf.Tensor, tf.Tensor];
    const gradientScale = clipScale(norm, clipNorm);
    const scalars: StepScalars = { learningRate, firstCorrection, secondCorrection, gradientScale };
    parameters.forEach((parameter, i) => {
      UPDATES[parameter.group.optimizer](parameter, gradients[i]!, scalars, adamw);
    });
    if (table === null) return [losses, norm];
    const triple = rows as [tf.Tensor, tf.Tensor, tf.Tensor];
    return [losses, norm, ...updatedRows(table.group, triple, gradients.at(-1)!, scalars, adamw)];
  }

  const gather = (ids: tf.Tensor) =>
    table === null ? [] : variablesOf(table).map((variable) => variable.gatherRows(ids));

  /** inputs: the rates (3), 1 / weight, the table's rows (0 or 3), the batch. */
  async function whole(batch: BatchArrays, scalars: readonly tf.Tensor[], rows: readonly tf.Tensor[]) {
    const { names, tensors } = flatten(batch);
    const body: Body = (inputs) => {
      const [rates, perPosition] = [inputs.slice(0, 3), inputs[3]!];
      const [given, rest] = [inputs.slice(4, 4 + rows.length), inputs.slice(4 + rows.length)];
      const { losses, gradients } = gradientsOf(named(names, rest), given[0], perPosition);
      return apply(gradients, given, losses, rates);
    };
    const out = await run('step', body, [...scalars, ...rows, ...tensors]);
    tf.dispose(tensors);
    return out;
  }

  /** Adds up gradients micro-batch by micro-batch, then applies them. */
  async function accumulated(
    batches: readonly BatchArrays[],
    scalars: readonly tf.Tensor[],
    rows: readonly tf.Tensor[],
  ) {
    sums ??= parameters.map(({ value }) => zeroVariable(value.shape));
    let losses: tf.Tensor = tf.zeros([1 + objective.parts.length]);
    let rowSums: tf.Tensor[] = rows.slice(0, 1).map((first) => tf.zerosLike(first));
    for (const [i, batch] of batches.entries()) {
      const { names, tensors } = flatten(batch);
      // The first of a step begins the sums anew.
      const kept = tf.scalar(i === 0 ? 0 : 1);
      const body: Body = ([perPosition, keep, before, ...inputs]) => {
        const [given, rest] = table === null ? [[], inputs] : [inputs.slice(0, 2), inputs.slice(2)];
        const { losses, gradients } = gradientsOf(named(names, rest), given[0], perPosition!);
        sums!.forEach((sum, at) => {
          fuseUpdate('sum', [sum], [gradients[at]!, keep!], ([held], [gradient, factor]) => [
            tf.add(tf.mul(held!, factor!), gradient!),
          ]);
        });
        const added = table === null ? [] : [tf.add(given[1]!, gradients.at(-1)!)];
        return [tf.add(before!, losses), ...added];
      };
      const inputs = [scalars[3]!, kept, losses, ...rows.slice(0, 1), ...rowSums, ...tensors];
      const [next, ...nextRows] = await run('accumulate', body, inputs);
      tf.dispose([losses, kept, ...rowSums, ...tensors]);
      [losses, rowSums] = [next!, nextRows];
    }
    const body: Body = (inputs) => {
      const [rates, before, given] = [inputs.slice(0, 3), inputs[3]!, inputs.slice(4, 4 + rows.length)];
      const gradients = [...sums!.map((sum) => sum.read()), ...inputs.slice(4 + rows.length)];
      return apply(gradients, given, before, rates);
    };
    const out = await run('apply', body, [...scalars.slice(0, 3), losses, ...rows, ...rowSums]);
    tf.dispose([losses, ...rowSums]);
    return out;
  }

  return {
    async run({ batches, touched, weight, step, learningRate }) {
      const scalars = [learningRate, ...corrections(step, adamw.betas), 1 / weight].map((value) => tf.scalar(value));
      const ids = touched === null ? null : tf.tensor1d(touched.rows, 'int32');
      const rows = ids === null ? [] : gather(ids);
      const out = await (batches.length === 1
        ? whole(batches[0]!, scalars, rows)
        : accumulated(batches, scalars, rows));
      const [losses, norm, ...next] = out as [tf.Tensor, tf.Tensor, ...tf.Tensor[]];
      next.forEach((values, i) => {
        variablesOf(table!)[i]!.scatterRows(ids!, values);
      });
      const [loss, ...parts] = losses.dataSync();
      const result = {
        loss: loss!,
        parts: Object.fromEntries(objective.parts.map((name, i) => [name, parts[i]!])),
        gradientNorm: norm.dataSync()[0]!,
      };
      tf.dispose([...scalars, ...rows, ...out, ...(ids === null ? [] : [ids])]);
      return result;
    },
    dispose() {
      dispose();
      for (const sum of sums ?? []) sum.dispose();
    },
  };
}

function variablesOf({ value, first, second }: ParameterState): Variable[] {
  return [value, first, second!];
}
