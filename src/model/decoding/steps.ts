/**
 * @module The computations of an incremental step, each with fixed shapes: the patcher, the encoder, the pooling of patches that closed, the latent
 * global transformer over them, the decoder. What they keep between steps are variables (blt-format 2.7).
 */
import { hashTables } from '../../blt/index.js';
import { type CompileMode, linear, tf, type Variable } from '../../engine/index.js';
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
import { type HeldBlt, heldParams } from './held-blt.js';
import { cachedContext, type LayerCaches, type PlaceTensors, placeShapes } from './layer-caches.js';
import type { PatchRing, StateRing } from './rings.js';
import { type InputShape, stepFunction } from './step-function.js';

const ints = (...shape: number[]): InputShape => ({ dtype: 'int32', shape });
const floats = (...shape: number[]): InputShape => ({ dtype: 'float32', shape });

/** Lanes that go through a step, how many new positions each gets, and how the step runs. */
export interface StepShape {
  /** All of the caches', or fewer: then the step is told which. */
  readonly lanes: number;
  readonly count: number;
  readonly mode: CompileMode | 'eager';
}

function placeInputs(caches: LayerCaches, { lanes, count }: StepShape): Record<keyof PlaceTensors, InputShape> {
  const { cos, sin, rows, mask, kept } = placeShapes(caches, lanes, count);
  return { cos: floats(...cos), sin: floats(...sin), rows: ints(...rows), mask: floats(...mask), kept: ints(...kept) };
}

/** ids [lanes * count] -> of the predictions made there, entropies [lanes * count], nats, and next-byte logits [lanes * count, 260]. */
export function patcherStep(model: HeldBlt, caches: LayerCaches, shape: StepShape) {
  const inputs = { ids: ints(shape.lanes * shape.count), ...placeInputs(caches, shape) };
  return stepFunction(inputs, shape.mode, ({ ids, ...places }) => {
    const params = heldParams(model);
    const logits = patcherHead(params, patcherStates(params, ids, cachedContext(caches, places, shape)));
    return [entropyOf(logits), logits];
  });
}

/** Writes the states of new bytes into rows `ring` [lanes * count]. */
export function encoderStep(model: HeldBlt, caches: LayerCaches, ring: StateRing, shape: StepShape) {
  const { lanes, count, mode } = shape;
  const inputs = {
    ids: ints(lanes * count),
    hashRows: ints(lanes * count * hashTables(model.config.hash)),
    ring: ints(lanes * count),
    ...placeInputs(caches, shape),
  };
  return stepFunction(inputs, mode, ({ ids, hashRows, ring: rows, ...places }) => {
    const context = cachedContext(caches, places, shape);
    ring.states.scatterRows(rows, byteStates(heldParams(model), model.config, { ids, hashRows }, context));
    return [];
  });
}

/**
 * Vectors [patches, Hg] of closed patches, for the latent global transformer.
 * @param members rows of the ring that are read; those of patch id `patches` belong to none.
 */
export function poolStep(
  model: HeldBlt,
  ring: StateRing,
  { members, patches, mode }: { readonly members: number; readonly patches: number; readonly mode: StepShape['mode'] },
) {
  return stepFunction({ ring: ints(members), patch: ints(members) }, mode, ({ ring: rows, patch }) => {
    const params = heldParams(model);
    const pooled = pooledPatches(params, model.config, ring.states.gatherRows(rows), patch, patches + 1);
    return [patchVectors(params, tf.slice(pooled, [0, 0], [patches, pooled.shape[1]!]))];
  });
}

/** Takes `count` patches a lane through the layers [lanes * count, Hg], and writes what the decoder reads into rows `ring` [lanes * count]. */
export function globalStep(model: HeldBlt, caches: LayerCaches, ring: PatchRing, shape: StepShape) {
  const { config } = model;
  const { lanes, count, mode } = shape;
  const inputs = {
    vectors: floats(lanes * count, config.global.hiddenSize),
    ring: ints(lanes * count),
    ...placeInputs(caches, shape),
  };
  return stepFunction(inputs, mode, ({ vectors, ring: rows, ...places }) => {
    const params = heldParams(model);
    const latent = globalLayers(params, vectors, cachedContext(caches, places, shape));
    const patchRows = patchRowsOf(params, config, latent);
    for (let i = 0; i < crossLayers(config); i++) {
      const { key, value } = crossKeysAndValues(params, config, patchRows, i);
      ring.keys[i]!.scatterRows(rows, tf.reshape(key, [lanes * count, -1]));
      ring.values[i]!.scatterRows(rows, tf.reshape(value, [lanes * count, -1]));
    }
    return [];
  });
}

/** Next-byte logits [lanes * count, 260] of the bytes in rows `bytes` of the ring, each reading the patch in row `patch`. */
export function decoderStep(
  model: HeldBlt,
  caches: LayerCaches,
  states: StateRing,
  patches: PatchRing,
  shape: StepShape,
) {
  const { config } = model;
  const { lanes, count, mode } = shape;
  const slots = config.crossAttnK;
  const inputs = { bytes: ints(lanes * count), patch: ints(lanes * count), ...placeInputs(caches, shape) };
  return stepFunction(inputs, mode, ({ bytes, patch, ...places }) => {
    const params = heldParams(model);
    const rows = (kept: Variable) => tf.reshape(kept.gatherRows(patch), [lanes * count * slots, -1]);
    const reading = {
      patches: lanes * count,
      patchOfByte: tf.range(0, lanes * count, 1, 'int32'),
      of: (i: number) => ({ key: rows(patches.keys[i]!), value: rows(patches.values[i]!) }),
    };
    const context = cachedContext(caches, places, shape);
    const hidden = decoderLayers(params, config, states.states.gatherRows(bytes), reading, context);
    return [linear(hidden, param(params, 'lm_head.weight'))];
  });
}
