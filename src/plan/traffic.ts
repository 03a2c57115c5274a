/**
 * @module The least that the forward and backward pass of one micro-batch must read from a device's memory and write to it, in bytes: if every
 * product reads its operands and writes its result once, everything between two products is fused with one of them, and attention keeps its
 * probabilities on the chip. Beside the compiler's own count it tells how far a compiled program is from the memory's roofline.
 */
import { readParts, stageRuns, trainedParts } from '../blt/index.js';
import { activationsOf, type KeptFloats } from './activations.js';
import { FLOAT_BYTES, type MemoryInputs, MOMENT_BYTES, sparseRowsBytes } from './memory.js';
import { sumParameters } from './parameters.js';

const PARTS = ['decoder', 'global', 'encoder'] as const;

/** Bytes of the matrices that products read, and of their gradients. */
function weightTraffic(inputs: MemoryInputs): number {
  const { counts, stage, precision, gradientCheckpointing, frozenWeightBytes, adapterParameters, rows } = inputs;
  const runs = stageRuns(stage);
  const withoutTables = { ...counts, hash: 0 };
  const trained = sumParameters(withoutTables, trainedParts(runs)) + adapterParameters;
  const frozen = sumParameters(withoutTables, readParts(runs)) + adapterParameters - trained;
  // Forward, again for what is recomputed, and for the gradient of the input.
  const reads = gradientCheckpointing ? 3 : 2;
  const trainedReads = precision === 'bfloat16' ? FLOAT_BYTES + 2 + 2 * reads : FLOAT_BYTES * reads;
  // With several micro-batches the gradient is added to a sum.
  const gradient = FLOAT_BYTES * (inputs.rowsPerStep > rows ? 2 : 1);
  return trained * (trainedReads + gradient) + frozen * frozenWeightBytes * reads;
}

/** Bytes of the values between products, and of their gradients. */
function activationTraffic({ config, text, stage, rows, precision, gradientCheckpointing }: MemoryInputs): number {
  const activations = activationsOf(config, text, stageRuns(stage));
  const narrow = precision === 'bfloat16' ? 2 : FLOAT_BYTES;
  const bytesOf = ({ layers, layer, around }: KeptFloats) =>
    FLOAT_BYTES * (layers * layer.wide + around.wide) + narrow * (layers * layer.narrowed + around.narrowed);
  const kept = rows * PARTS.reduce((sum, part) => sum + bytesOf(activations[part]), 0);
  // Written and read in the forward pass, and again where it is recomputed; read in the backward pass, which writes and reads a gradient.
  return kept * ((gradientCheckpointing ? 4 : 2) + 3);
}

/** Bytes of one update: gradients are read; weights and moments read and written. @param trained parameters */
function updateTraffic(trained: number, { optimizerState, muon }: MemoryInputs): number {
  return 3 * FLOAT_BYTES * trained + 2 * MOMENT_BYTES[optimizerState] * (2 * trained - muon.parameters);
}

/** @returns bytes, with the update's where a step has one micro-batch and one program does both; 0 for a stage without gradient steps */
export function minimumTrafficBytes(inputs: MemoryInputs): number {
  if (inputs.closedForm !== null) return 0;
  const trained = trainedParts(stageRuns(inputs.stage));
  const rowsBytes = trained.includes('hash') ? sparseRowsBytes({ ...inputs, rowsPerStep: inputs.rows }) : 0;
  const updated =
    sumParameters({ ...inputs.counts, hash: rowsBytes / FLOAT_BYTES }, trained) + inputs.adapterParameters;
  const update = inputs.rowsPerStep > inputs.rows ? 0 : updateTraffic(updated, inputs);
  // Rows of tables are read, and their gradients written.
  return weightTraffic(inputs) + activationTraffic(inputs) + 2 * rowsBytes + update;
}
