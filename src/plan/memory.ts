/**
 * @module Predicts the memory of a training stage, in bytes: the peak of a compiled step. It is counted from what each operation keeps for
 * the backward pass (src/model, src/engine/ops.ts); a test compares the sum with the measured peak of runs on a CPU.
 */
import {
  type BltConfig,
  type ClosedFormWork,
  hashTables,
  type MuonShare,
  type Part,
  readParts,
  type SourceShape,
  type StageRuns,
  type StageShape,
  stageRuns,
  type TextShape,
  type TransformerConfig,
  trainedParts,
} from '../blt/index.js';
import { activationsOf, bytesOf, FLOAT_BYTES, type KeptFloats } from './activations.js';
import { closedFormMemory } from './closed-form-memory.js';
import { type PartParameters, sumParameters } from './parameters.js';
import { sourceMemory } from './source-memory.js';

export interface MemoryInputs {
  readonly config: BltConfig;
  /** Of the tensors that an output depends on. */
  readonly counts: PartParameters;
  readonly stage: StageShape;
  readonly source: SourceShape;
  readonly text: TextShape;
  /** Rows whose activations are in memory at once. */
  readonly rows: number;
  readonly rowsPerStep: number;
  readonly precision: 'float32' | 'bfloat16';
  readonly gradientCheckpointing: boolean;
  readonly optimizerState: keyof typeof MOMENT_BYTES;
  /** What Muon trains, with one moment instead of two. */
  readonly muon: MuonShare;
  /** Parameters of adapters on the latent global transformer; 0 without any. */
  readonly adapterParameters: number;
  /** Whether the source's layers are loaded in addition to the latent global transformer. */
  readonly loadsSourceLayers: boolean;
  /** The settings of a closed-form stage; null for other stages. */
  readonly closedForm: Pick<ClosedFormWork, 'solveBytes' | 'encoder'> | null;
  /** Bytes per weight of a frozen matrix: 2 where the checkpoint stores bfloat16, which stays bfloat16 in memory. */
  readonly frozenWeightBytes: 2 | 4;
}

export interface TrainingMemory {
  /** The process without the model: Node, TensorFlow's libraries, compiled code. */
  readonly runtimeBytes: number;
  /** The parts that the stage reads, including the latent global transformer if it computes the source's states. */
  readonly weightsBytes: number;
  /** The source's embeddings, head and, if loaded once more, layers, and the tensors computed from them for one micro-batch. */
  readonly sourceBytes: number;
  /** The sums, moments and examples of a closed-form stage. */
  readonly sumsBytes: number;
  readonly gradientsBytes: number;
  /** AdamW's two moments, and Muon's one. */
  readonly momentsBytes: number;
  /** The values kept for the backward pass, at the end of the forward pass. */
  readonly activationsBytes: number;
  /** Less than the sum of the above, because activations are released as gradients are computed. */
  readonly peakBytes: number;
  /** The peak on an accelerator: without what the process takes on the host, and with the compiler's own layout of memory. */
  readonly deviceBytes: number;
}

/** Bytes per weight of one moment; 8-bit codes have one scale per 256. */
const MOMENT_BYTES = { float32: 4, bfloat16: 2, '8-bit': 1 + 4 / 256 } as const;
/** Measured: a process that has traced and compiled a small model's step. */
const RUNTIME_BYTES = 620e6;
/** Measured: the allocator's overhead, and operations that run before their results are needed. */
const ALLOCATOR_SHARE = 1.1;

/**
 * How many copies there are of the hash-table rows that a step updates. On a CPU a step begins with the rows and their moments, and ends with
 * their gradient and their next values. On a device they are read and written within its programs, a part at a time: only their gradient is whole.
 */
const ROW_COPIES = { host: { throughout: 3, atTheEnd: 4 }, device: 1 } as const;

/** Where a step runs: on a CPU with TensorFlow, or on a device with XLA. */
type Place = 'host' | 'device';

/** Parts in the order in which the backward pass finishes them. */
export const BACKWARD = ['decoder', 'global', 'encoder'] as const;
const PARTS_OF = { decoder: ['head', 'decoder'], global: ['global'], encoder: ['encoder'] } as const;

/** The peak memory of a training stage, and its components, in bytes. */
export function trainingMemory(inputs: MemoryInputs): TrainingMemory {
  const { config, counts, stage, text, rows, source, adapterParameters } = inputs;
  const runs = stageRuns(stage);
  const trains = trainedParts(runs);
  const alone = stage.kind === 'patcher';
  const trained = (parts: readonly Part[]) =>
    sumParameters(
      counts,
      parts.filter((part) => trains.includes(part)),
    ) + (parts.includes('global') ? adapterParameters : 0);
  const moved = trained(Object.keys(counts) as Part[]);
  const frozen = sumParameters(counts, readParts(runs)) - (moved - adapterParameters);
  // Tables and embeddings are read by gathers, which need float32; nearly all other weights are matrices.
  const frozenTable = trains.includes('hash') || runs.model.hash === 'absent' ? 0 : counts.hash;
  const weightsBytes = FLOAT_BYTES * (moved + frozenTable) + inputs.frozenWeightBytes * (frozen - frozenTable);
  const layersBytes = inputs.loadsSourceLayers ? inputs.frozenWeightBytes * counts.global : 0;
  const read = sourceMemory({ config, source, runs: runs.source, text, rows });
  // On a CPU the source reads the next rows while a step runs.
  const sourceBytes = layersBytes + read.tables + read.reading;
  const { closedForm } = inputs;
  const sumsBytes = closedForm === null ? 0 : closedFormMemory(config, closedForm, text.bytesPerPatch);
  const activations = activationsOf(config, text, runs);
  const activationBytes = (where: Place) =>
    BACKWARD.reduce((sum, part) => sum + keptBytes(activations[part], inputs, where), 0);
  const accumulated = accumulates(inputs);
  // Several micro-batches are summed in buffers that exist throughout the step.
  const dense = FLOAT_BYTES * (moved - (trains.includes('hash') ? counts.hash : 0));
  const rowsBytes = trains.includes('hash') ? sparseRowsBytes(inputs) : 0;
  // On a device, temporary values fit into what the compiler has released before.
  const transient = { host: transientBytes(inputs, runs), device: 0 };
  const sums = accumulated ? dense : 0;
  const gradientsOf = (part: (typeof BACKWARD)[number]) =>
    accumulated ? 0 : FLOAT_BYTES * trained(alone && part === 'decoder' ? ['patcher'] : PARTS_OF[part]);
  /** The most that activations and gradients take together, in the course of the backward pass. */
  const fullest = (where: Place) => {
    let [left, gradients] = [activationBytes(where), sums];
    let most = left + gradients + transient[where];
    for (const part of BACKWARD) {
      left -= keptBytes(activations[part], inputs, where);
      gradients += gradientsOf(part);
      most = Math.max(most, left + gradients);
    }
    return most;
  };
  const gradients = BACKWARD.reduce((sum, part) => sum + gradientsOf(part), sums);
  const onHost =
    ROW_COPIES.host.throughout * rowsBytes +
    Math.max(fullest('host'), gradients + ROW_COPIES.host.atTheEnd * rowsBytes);
  const onDevice = Math.max(fullest('device') + ROW_COPIES.device * rowsBytes, read.reading);
  const momentsBytes = momentBytes(moved, inputs);
  // Products in bfloat16 read copies of the float32 weights.
  const copiesBytes = inputs.precision === 'bfloat16' ? 2 * (moved - (trains.includes('hash') ? counts.hash : 0)) : 0;
  const still = weightsBytes + sumsBytes + momentsBytes + copiesBytes;
  return {
    runtimeBytes: RUNTIME_BYTES,
    weightsBytes,
    sourceBytes,
    sumsBytes,
    gradientsBytes: dense + (ROW_COPIES.host.throughout + ROW_COPIES.host.atTheEnd) * rowsBytes,
    momentsBytes,
    activationsBytes: activationBytes('host'),
    peakBytes: RUNTIME_BYTES + ALLOCATOR_SHARE * (still + sourceBytes + onHost),
    deviceBytes: still + layersBytes + read.tables + onDevice,
  };
}

/** Whether a step has several micro-batches, whose gradients are summed. */
export const accumulates = ({ rows, rowsPerStep }: MemoryInputs): boolean => rowsPerStep > rows;

/** Bytes of AdamW's two moments, and of Muon's one. @param trained parameters */
export function momentBytes(trained: number, { optimizerState, muon }: MemoryInputs): number {
  return MOMENT_BYTES[optimizerState] * (2 * trained - muon.parameters);
}

/** Bytes of one copy of the hash-table rows that a step updates, at most one per byte and table. */
export function sparseRowsBytes({ config, text, rowsPerStep }: MemoryInputs): number {
  const rows = hashTables(config.hash) * Math.min(rowsPerStep * text.bytes, config.hash.vocab);
  return FLOAT_BYTES * rows * config.encoder.hiddenSize;
}

/** With gradient checkpointing only each layer's input is kept, and one layer at a time is complete. */
function keptBytes(floats: KeptFloats, { rows, precision, gradientCheckpointing }: MemoryInputs, where: Place): number {
  const { layers, layer, unrotated, attention, layerInput, around, patchRows } = floats;
  const { wide, narrowed } = layer;
  const beside = attention[where === 'device' ? 'kernel' : 'blocks'];
  const inFull = {
    wide: wide + beside.wide + (where === 'host' ? unrotated : 0),
    narrowed: narrowed + beside.narrowed,
  };
  const oneLayer = bytesOf(inFull, precision);
  const inLayers = gradientCheckpointing
    ? layers * FLOAT_BYTES * layerInput + (layers > 0 ? oneLayer : 0)
    : layers * oneLayer;
  const aroundBytes = bytesOf(around, precision) + (where === 'host' ? FLOAT_BYTES * patchRows : 0);
  return rows * (inLayers + aroundBytes);
}

/** Temporary values of one layer, forward or backward, in the section where they take most. */
function transientBytes({ config, text, rows }: MemoryInputs, { model }: StageRuns): number {
  const of = ({ hiddenSize, intermediateSize }: TransformerConfig, positions: number) =>
    positions * (3 * intermediateSize + 4 * hiddenSize);
  const { bytes, bytesPerPatch } = text;
  const floats = {
    hash: 2 * bytes * hashTables(config.hash) * config.encoder.hiddenSize,
    encoder: of(config.encoder, bytes),
    global: of(config.global, bytes / bytesPerPatch),
    decoder: of(config.decoder, bytes),
  };
  const run = (Object.keys(floats) as (keyof typeof floats)[]).filter((section) => model[section] !== 'absent');
  // The patcher's forward pass is smaller than a step of the model; in the patcher's own training it is the only section.
  const most = run.length === 0 ? of(config.patcher, bytes) : Math.max(...run.map((section) => floats[section]));
  return FLOAT_BYTES * rows * most;
}
