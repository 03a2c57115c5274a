/** Training of the plain golden model in memory: rows, batches, and steps in each run mode. */
import { type BltConfig, bltTensors, hashTables, type Part, readBltConfig } from '../../src/blt/index.js';
import { createPacker, type PackedRow, type Packer } from '../../src/data/index.js';
import type { RunMode } from '../../src/engine/index.js';
import { sparseRows } from '../../src/finetune/batches/sparse-rows.js';
import { createTrainStep, type StepInput, type StepOutput } from '../../src/finetune/loop/train-step.js';
import { openTrainingState, type TrainingState } from '../../src/finetune/loop/training-state.js';
import type { AdamWOptions, Moments } from '../../src/finetune/optimizers/adamw.js';
import { endToEndObjective } from '../../src/finetune/stages/end-to-end.js';
import type { Objective } from '../../src/finetune/stages/objective.js';
import { type Arrays, type BatchWith, cutRows, learningFields, withDocuments } from '../../src/patching/index.js';
import { fromFloat32, openCheckpoint, type TensorReader, toFloat32 } from '../../src/safetensors/index.js';
import { goldenPath } from './golden.js';
import { taken } from './modes.js';

export const TABLE = 'model.encoder_hash_tok_embedding.weight';

/** An epsilon well above rounding errors, so that a gradient of nothing but rounding changes no weight in any mode. */
export const ADAMW: AdamWOptions = { betas: [0.9, 0.95], epsilon: 1e-5, weightDecay: 0.1 };

/** The options of a batch source for next-byte training of a whole BLT. */
export const NEXT_BYTE_BATCHES = { patched: true, source: null, weights: 'weights', trainsTable: true } as const;

/** Capacity for patches alone. */
export const patchCapacity = (patches: number) => ({ patches, tokens: 0 });

export interface Weights {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Start {
  readonly config: BltConfig;
  readonly weights: ReadonlyMap<string, Weights>;
  readonly reader: TensorReader;
}

/** The plain golden model. @param hash other hash tables, with the first rows of the golden table */
export async function goldenStart(hash?: BltConfig['hash']): Promise<Start> {
  const folder = goldenPath('plain/blt');
  const golden = await readBltConfig(folder);
  const config = { ...golden, hash: hash ?? golden.hash };
  const checkpoint = await openCheckpoint(folder);
  const weights = new Map<string, Weights>();
  for (const { name, shape } of bltTensors(config)) {
    const all = toFloat32(await checkpoint.read(name), checkpoint.tensors.get(name)!.dtype);
    weights.set(name, {
      shape,
      values: all.slice(
        0,
        shape.reduce((a, b) => a * b, 1),
      ),
    });
  }
  await checkpoint.close();
  return { config, weights, reader: readerOf(weights) };
}

function readerOf(weights: ReadonlyMap<string, Weights>): TensorReader {
  return {
    tensors: new Map([...weights].map(([name, { shape }]) => [name, { name, dtype: 'F32' as const, shape }])),
    metadata: {},
    read: async (name, range) => {
      const bytes = fromFloat32(weights.get(name)!.values, 'F32');
      return range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length);
    },
    close: async () => {},
  };
}

/** Texts of 2 to 70 bytes, so that rows contain several documents, cut documents, and padding. */
export function packerOf(length: number, seed = 1): Packer {
  const texts = Array.from({ length: 31 }, (_, i) =>
    new TextEncoder().encode(`${'a sentence '.repeat(i % 5 === 0 ? 6 : i % 3)}${i * i * 7919}.`),
  );
  const split = {
    count: texts.length,
    byteCount: texts.reduce((sum, { length }) => sum + length, 0),
    byteLength: (index: number) => texts[index]!.length,
    read: async (index: number) => texts[index]!,
  };
  return createPacker({ split, rowBytes: length, seed });
}

/** Made-up entropies that depend only on the byte: patches of 1 to about 8 bytes. */
export function madeUpEntropies(ids: Iterable<number>, { patching }: BltConfig): Float32Array {
  return Float32Array.from(ids, (id) => patching.threshold + ((id * 37) % 11 < 3 ? 1 : -1));
}

/** The step's input from some micro-batches, and the batches before hash rows were replaced by indices into the sparse rows. */
export function stepInput(
  config: BltConfig,
  micros: readonly (readonly PackedRow[])[],
  patches: number,
): Pick<StepInput, 'batches' | 'sparseRows' | 'weight'> & { readonly whole: readonly BatchWith<Arrays, 'hashRows'>[] } {
  const whole = micros.map((rows) => {
    const ids = rows.flatMap((row) => [...row.ids]);
    const { batch } = cutRows(rows, madeUpEntropies(ids, config), config, patches);
    return { ...withDocuments(batch), ...learningFields(rows) };
  });
  const { positions, ...indices } = sparseRows(
    whole.map(({ hashRows }) => hashRows),
    config.hash.vocab * hashTables(config.hash),
  );
  const batches = whole.map((batch, i) => ({ ...batch, hashRows: positions[i]! }));
  const weight = micros.flat().reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
  return { whole, batches, sparseRows: indices, weight };
}

export interface TrainingOptions {
  readonly start: Start;
  readonly mode: RunMode;
  readonly clipNorm?: number;
  readonly adamw?: AdamWOptions;
  readonly learningRateScale?: Readonly<Record<string, number>>;
  readonly muonScale?: number | null;
  readonly frozen?: readonly Part[];
  readonly moments?: Moments;
  readonly gradientCheckpointing?: boolean;
}

export interface Training {
  readonly objective: Objective;
  readonly trainingState: TrainingState;
  step(input: Omit<StepInput, 'step' | 'learningRate'>, learningRate: number): Promise<StepOutput>;
  /** The values of the trained parameters, with the table's spare row. */
  weights(): Map<string, Float32Array>;
  close(): void;
}

/** The engine must be started. */
export async function openTraining(options: TrainingOptions): Promise<Training> {
  const { start, mode, clipNorm = 1, adamw = ADAMW, learningRateScale = {}, frozen: frozenParts = [] } = options;
  const objective = endToEndObjective(start.config, { frozen: frozenParts });
  const specs = bltTensors(start.config);
  const moments = options.moments ?? 'float32';
  const { muonScale = null } = options;
  const common = { objective, specs, learningRateScale, muonScale, moments, seed: 1 };
  const trainingState = await openTrainingState({ ...common, start: start.reader, from: null });
  const { dense: parameters, table, frozen } = trainingState;
  const how = { mode, precision: 'float32' as const, gradientCheckpointing: options.gradientCheckpointing ?? false };
  const stepper = createTrainStep({ objective, parameters, table, frozen, adamw, clipNorm, ...how });
  let steps = 0;
  return {
    objective,
    trainingState,
    step: (input, learningRate) => stepper.run({ ...input, step: ++steps, learningRate }),
    weights: () => new Map(trainingState.parameters.map(({ name, value }) => [name, taken([value.read()])[0]!])),
    close() {
      stepper.dispose();
      trainingState.dispose();
    },
  };
}
