/**
 * @module The computations of an incremental step, each with fixed shapes: the patcher, the encoder, the pooling of closed patches, the latent
 * global transformer, and the decoder. State between steps is kept in variables (blt-format 2.7).
 */
import { hashTables } from '../../blt/index.js';
import { linear, tf, type Variable } from '../../engine/index.js';
import {
  byteStates,
  crossRowsOf,
  decoderLayers,
  globalLayers,
  patchSlotsOf,
  patchVectors,
  pooledPatches,
} from '../blt.js';
import type { PatchRows } from '../cross-attention.js';
import { param } from '../params.js';
import { entropyOf, patcherHead, patcherStates } from '../patcher/patcher.js';
import { cachedContext, type PositionTensors, positionShapes } from './cached-context.js';
import type { LayerCaches } from './layer-caches.js';
import { type ResidentModel, residentParams } from './resident-model.js';
import type { PatchBuffer, StateBuffer } from './ring-buffers.js';
import { type InputShape, type StepMode, stepFunction } from './step-function.js';

const ints = (...shape: number[]): InputShape => ({ dtype: 'int32', shape });
const floats = (...shape: number[]): InputShape => ({ dtype: 'float32', shape });

/** The number of slots in a step, the number of new positions per slot, and how the step runs. */
export interface StepShape extends StepMode {
  /** All slots of the caches, or fewer, in which case the inputs say which. */
  readonly slots: number;
  readonly count: number;
}

function positionInputs(caches: LayerCaches, { slots, count }: StepShape): Record<keyof PositionTensors, InputShape> {
  const { cos, sin, rows, mask, kept } = positionShapes(caches, slots, count);
  return { cos: floats(...cos), sin: floats(...sin), rows: ints(...rows), mask: floats(...mask), kept: ints(...kept) };
}

/** ids [slots * count] -> entropies [slots * count], in nats, and logits [slots * count, 260] of the next-byte predictions. */
export function patcherStep(model: ResidentModel, caches: LayerCaches, shape: StepShape) {
  const inputs = { ids: ints(shape.slots * shape.count), ...positionInputs(caches, shape) };
  return stepFunction(inputs, shape, ({ ids, ...positions }) => {
    const params = residentParams(model);
    const logits = patcherHead(params, patcherStates(params, ids, cachedContext(caches, positions, shape)));
    return [entropyOf(logits), logits];
  });
}

/** Writes the states of new bytes into rows `bufferRows` [slots * count] of the ring buffer. */
export function encoderStep(model: ResidentModel, caches: LayerCaches, states: StateBuffer, shape: StepShape) {
  const { slots, count } = shape;
  const inputs = {
    ids: ints(slots * count),
    hashRows: ints(slots * count * hashTables(model.config.hash)),
    bufferRows: ints(slots * count),
    ...positionInputs(caches, shape),
  };
  return stepFunction(inputs, shape, ({ ids, hashRows, bufferRows, ...positions }) => {
    const context = cachedContext(caches, positions, shape);
    states.states.scatterRows(bufferRows, byteStates(residentParams(model), model.config, { ids, hashRows }, context));
    return [];
  });
}

/**
 * Pools closed patches into vectors [patches, Hg], the inputs of the latent global transformer.
 * @param members number of rows of the ring buffer to read; rows with patch id `patches` are padding.
 */
export function poolStep(
  model: ResidentModel,
  states: StateBuffer,
  { members, patches, ...how }: StepMode & { readonly members: number; readonly patches: number },
) {
  return stepFunction({ bufferRows: ints(members), patch: ints(members) }, how, ({ bufferRows, patch }) => {
    const params = residentParams(model);
    const pooled = pooledPatches(params, model.config, states.states.gatherRows(bufferRows), patch, patches + 1);
    return [patchVectors(params, tf.slice(pooled, [0, 0], [patches, pooled.shape[1]!]))];
  });
}

/** Runs the global layers on `count` patches per slot [slots * count, Hg], and writes what the decoder reads of them into rows `bufferRows` [slots * count]. */
export function globalStep(model: ResidentModel, caches: LayerCaches, patches: PatchBuffer, shape: StepShape) {
  const { config } = model;
  const { slots, count } = shape;
  const inputs = {
    vectors: floats(slots * count, config.global.hiddenSize),
    bufferRows: ints(slots * count),
    ...positionInputs(caches, shape),
  };
  return stepFunction(inputs, shape, ({ vectors, bufferRows, ...positions }) => {
    const params = residentParams(model);
    const latent = globalLayers(params, vectors, cachedContext(caches, positions, shape));
    const patchSlots = patchSlotsOf(params, config, latent);
    for (const [i, variables] of patches.layers.entries()) {
      const rows = crossRowsOf(params, config, patchSlots, i);
      for (const [which, variable] of variables.entries())
        variable.scatterRows(bufferRows, tf.reshape(rows[which]!, [slots * count, -1]));
    }
    return [];
  });
}

/** Next-byte logits [slots * count, 260] after the bytes in rows `bytes` of the ring buffer, each of which attends to the patch in row `patch`. */
export function decoderStep(
  model: ResidentModel,
  caches: LayerCaches,
  states: StateBuffer,
  patches: PatchBuffer,
  shape: StepShape,
) {
  const { config } = model;
  const { slots, count } = shape;
  const inputs = { bytes: ints(slots * count), patch: ints(slots * count), ...positionInputs(caches, shape) };
  return stepFunction(inputs, shape, ({ bytes, patch, ...positions }) => {
    const params = residentParams(model);
    const rows = (kept: Variable) => tf.reshape(kept.gatherRows(patch), [slots * count * config.crossAttnK, -1]);
    const reading = {
      patches: slots * count,
      patchOfByte: tf.range(0, slots * count, 1, 'int32'),
      of: (i: number) => patches.layers[i]!.map(rows) as unknown as PatchRows,
    };
    const context = cachedContext(caches, positions, shape);
    const hidden = decoderLayers(params, config, states.states.gatherRows(bytes), reading, context);
    return [linear(hidden, param(params, 'lm_head.weight'))];
  });
}
