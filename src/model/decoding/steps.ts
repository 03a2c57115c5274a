/**
 * @module The computations of an incremental step, each with fixed shapes: the patcher, the encoder, the pooling of patches that closed, the latent
 * global transformer over them, the decoder. What they keep between steps are variables (blt-format 2.7).
 */
import { hashTables } from '../../blt/index.js';
import { linear, tf, type Variable } from '../../engine/index.js';
import {
  byteStates,
  crossKeysAndValues,
  crossLayers,
  decoderLayers,
  globalLayers,
  patchRowsOf,
  patchVectors,
  pooledPatches,
} from '../blt.js';
import { param } from '../params.js';
import { entropyOf, patcherHead, patcherStates } from '../patcher/patcher.js';
import { cachedContext, type LayerCaches, type PositionTensors, positionShapes } from './layer-caches.js';
import { type ResidentModel, residentParams } from './resident-model.js';
import type { PatchBuffer, StateBuffer } from './ring-buffers.js';
import { type InputShape, type StepMode, stepFunction } from './step-function.js';

const ints = (...shape: number[]): InputShape => ({ dtype: 'int32', shape });
const floats = (...shape: number[]): InputShape => ({ dtype: 'float32', shape });

/** The slots that go through a step, how many new positions each gets, and how the step runs. */
export interface StepShape extends StepMode {
  /** All of the caches', or fewer: then the step is told which. */
  readonly slots: number;
  readonly count: number;
}

function positionInputs(caches: LayerCaches, { slots, count }: StepShape): Record<keyof PositionTensors, InputShape> {
  const { cos, sin, rows, mask, kept } = positionShapes(caches, slots, count);
  return { cos: floats(...cos), sin: floats(...sin), rows: ints(...rows), mask: floats(...mask), kept: ints(...kept) };
}

/** ids [slots * count] -> of the predictions made there, entropies [slots * count], nats, and next-byte logits [slots * count, 260]. */
export function patcherStep(model: ResidentModel, caches: LayerCaches, shape: StepShape) {
  const inputs = { ids: ints(shape.slots * shape.count), ...positionInputs(caches, shape) };
  return stepFunction(inputs, shape, ({ ids, ...positions }) => {
    const params = residentParams(model);
    const logits = patcherHead(params, patcherStates(params, ids, cachedContext(caches, positions, shape)));
    return [entropyOf(logits), logits];
  });
}

/** Writes the states of new bytes into rows `ring` [slots * count] of the ring buffer. */
export function encoderStep(model: ResidentModel, caches: LayerCaches, ring: StateBuffer, shape: StepShape) {
  const { slots, count } = shape;
  const inputs = {
    ids: ints(slots * count),
    hashRows: ints(slots * count * hashTables(model.config.hash)),
    ring: ints(slots * count),
    ...positionInputs(caches, shape),
  };
  return stepFunction(inputs, shape, ({ ids, hashRows, ring: rows, ...positions }) => {
    const context = cachedContext(caches, positions, shape);
    ring.states.scatterRows(rows, byteStates(residentParams(model), model.config, { ids, hashRows }, context));
    return [];
  });
}

/**
 * Vectors [patches, Hg] of closed patches, for the latent global transformer.
 * @param members rows of the ring buffer that are read; those of patch id `patches` belong to none.
 */
export function poolStep(
  model: ResidentModel,
  ring: StateBuffer,
  { members, patches, ...how }: StepMode & { readonly members: number; readonly patches: number },
) {
  return stepFunction({ ring: ints(members), patch: ints(members) }, how, ({ ring: rows, patch }) => {
    const params = residentParams(model);
    const pooled = pooledPatches(params, model.config, ring.states.gatherRows(rows), patch, patches + 1);
    return [patchVectors(params, tf.slice(pooled, [0, 0], [patches, pooled.shape[1]!]))];
  });
}

/** Takes `count` patches per slot through the layers [slots * count, Hg], and writes what the decoder reads into rows `ring` [slots * count]. */
export function globalStep(model: ResidentModel, caches: LayerCaches, ring: PatchBuffer, shape: StepShape) {
  const { config } = model;
  const { slots, count } = shape;
  const inputs = {
    vectors: floats(slots * count, config.global.hiddenSize),
    ring: ints(slots * count),
    ...positionInputs(caches, shape),
  };
  return stepFunction(inputs, shape, ({ vectors, ring: rows, ...positions }) => {
    const params = residentParams(model);
    const latent = globalLayers(params, vectors, cachedContext(caches, positions, shape));
    const patchRows = patchRowsOf(params, config, latent);
    for (let i = 0; i < crossLayers(config); i++) {
      const { key, value } = crossKeysAndValues(params, config, patchRows, i);
      ring.keys[i]!.scatterRows(rows, tf.reshape(key, [slots * count, -1]));
      ring.values[i]!.scatterRows(rows, tf.reshape(value, [slots * count, -1]));
    }
    return [];
  });
}

/** Next-byte logits [slots * count, 260] of the bytes in rows `bytes` of the ring buffer, each reading the patch in row `patch`. */
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
      of: (i: number) => ({ key: rows(patches.keys[i]!), value: rows(patches.values[i]!) }),
    };
    const context = cachedContext(caches, positions, shape);
    const hidden = decoderLayers(params, config, states.states.gatherRows(bytes), reading, context);
    return [linear(hidden, param(params, 'lm_head.weight'))];
  });
}
