/**
 * @module The least that the forward and backward pass of one micro-batch must read from a device's memory and write to it, in bytes: if every
 * product reads its operands and writes its result once, everything between two products is fused with one of them, and attention keeps its
 * probabilities on the chip. Beside the compiler's own count it tells how far a compiled program is from the memory's roofline.
 */
import { readParts, stageRuns, trainedParts } from '../blt/index.js';
import { activationsOf, bytesOf, FLOAT_BYTES } from './activations.js';
import { accumulates, BACKWARD, type MemoryInputs, momentBytes, sparseRowsBytes } from './memory.js';
import { sumParameters } from './parameters.js';

/** Bytes of the matrices that products read, and of their gradients. */
function weightTraffic(inputs: MemoryInputs): number {
  const { counts, stage, precision, gradientCheckpointing, frozenWeightBytes, adapterParameters } = inputs;
  const runs = stageRuns(stage);
  const withoutTables = { ...counts, hash: 0 };
  const trained = sumParameters(withoutTables, trainedParts(runs)) + adapterParameters;
  const frozen = sumParameters(withoutTables, readParts(runs)) + adapterParameters - trained;
  // Forward, again for what is recomputed, and for the gradient of the input.
  const reads = gradientCheckpointing ? 3 : 2;
  const trainedReads = precision === 'bfloat16' ? FLOAT_BYTES + 2 + 2 * reads : FLOAT_BYTES * reads;
  // With several micro-batches the gradient is added to a sum.
  const gradient = FLOAT_BYTES * (accumulates(inputs) ? 2 : 1);
  return trained * (trainedReads + gradient) + frozen * frozenWeightBytes * reads;
}

/** Bytes of the values between products, and of their gradients. */
function activationTraffic({ config, text, stage, rows, precision, gradientCheckpointing }: MemoryInputs): number {
  const activations = activationsOf(config, text, stageRuns(stage));
  const ofPart = (part: (typeof BACKWARD)[number]) => {
    const { layers, layer, around } = activations[part];
    return layers * bytesOf(layer, precision) + bytesOf(around, precision);
  };
  const kept = rows * BACKWARD.reduce((sum, part) => sum + ofPart(part), 0);
  // Written and read in the forward pass, and again where it is recomputed; read in the backward pass, which writes and reads a gradient.
  return kept * ((gradientCheckpointing ? 4 : 2) + 3);
}

/** Bytes of one update: gradients are read; weights and moments read and written. @param trained parameters */
const updateTraffic = (trained: number, inputs: MemoryInputs): number =>
  3 * FLOAT_BYTES * trained + 2 * momentBytes(trained, inputs);

/** @returns bytes, with the update's where a step has one micro-batch and one program does both; 0 for a stage without gradient steps */
export function minimumTrafficBytes(inputs: MemoryInputs): number {
  if (inputs.closedForm !== null) return 0;
  const trained = trainedParts(stageRuns(inputs.stage));
  const rowsBytes = trained.includes('hash') ? sparseRowsBytes({ ...inputs, rowsPerStep: inputs.rows }) : 0;
  const updated =
    sumParameters({ ...inputs.counts, hash: rowsBytes / FLOAT_BYTES }, trained) + inputs.adapterParameters;
  const update = accumulates(inputs) ? 0 : updateTraffic(updated, inputs);
  // Rows of tables are read, and their gradients written.
  return weightTraffic(inputs) + activationTraffic(inputs) + 2 * rowsBytes + update;
}
