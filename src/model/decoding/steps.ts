/**
 * @module The computations of an incremental step, each with fixed shapes: the patcher, the encoder, the pooling of patches that closed, the latent
 * global transformer over them, the decoder. What they keep between steps are variables (blt-format 2.7).
 */
import { type BltConfig, hashTables } from '../../blt/index.js';
import { type CompileMode, linear, tf, type Variable, zeroVariable } from '../../engine/index.js';
import { globalLayers, patchVectors } from '../global-transformer.js';
import { crossKeysAndValues, crossLayers, decoderLayers, patchRowsOf } from '../local-decoder.js';
import { byteStates, pooledPatches } from '../local-encoder.js';
import { param } from '../params.js';
import { entropyOf, patcherHead, patcherStates } from '../patcher.js';
import { type HeldBlt, heldParams } from './held-blt.js';
import { cachedContext, type LayerCaches, type PlaceTensors, placeShapes } from './layer-caches.js';
import { type InputShape, stepFunction } from './step-function.js';

const ints = (...shape: number[]): InputShape => ({ dtype: 'int32', shape });
const floats = (...shape: number[]): InputShape => ({ dtype: 'float32', shape });

function placeInputs(caches: LayerCaches, count: number): Record<keyof PlaceTensors, InputShape> {
  const { cos, sin, rows, mask } = placeShapes(caches, count);
  return { cos: floats(...cos), sin: floats(...sin), rows: ints(...rows), mask: floats(...mask) };
}

/** How many new positions a lane gets, and how the step runs. */
export interface StepShape {
  readonly lanes: number;
  readonly count: number;
  readonly mode: CompileMode | 'eager';
}

/** ids [lanes * count] -> entropies [lanes * count], nats, of the predictions made there. */
export function patcherStep(model: HeldBlt, caches: LayerCaches, { lanes, count, mode }: StepShape) {
  return stepFunction({ ids: ints(lanes * count), ...placeInputs(caches, count) }, mode, ({ ids, ...places }) => {
    const params = heldParams(model);
    const context = cachedContext(caches, 'model.patcher', places, count);
    return [entropyOf(patcherHead(params, patcherStates(params, ids, context)))];
  });
}

/** A ring of byte states, rows [lanes * capacity, He]: what the open patch is pooled from, and what the decoder starts from. */
export interface StateRing {
  readonly capacity: number;
  readonly states: Variable;
}

export const createStateRing = ({ encoder }: BltConfig, lanes: number, capacity: number): StateRing => ({
  capacity,
  states: zeroVariable([lanes * capacity, encoder.hiddenSize]),
});

/** Writes the states of new bytes into rows `ring` [lanes * count]. */
export function encoderStep(model: HeldBlt, caches: LayerCaches, ring: StateRing, { lanes, count, mode }: StepShape) {
  const inputs = {
    ids: ints(lanes * count),
    hashRows: ints(lanes * count * hashTables(model.config.hash)),
    ring: ints(lanes * count),
    ...placeInputs(caches, count),
  };
  return stepFunction(inputs, mode, ({ ids, hashRows, ring: rows, ...places }) => {
    const context = cachedContext(caches, 'model.local_encoder', places, count);
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

/** What the decoder's layers read of patches: keys and values, rows [lanes * capacity + 1, k * kvHeads * d]. The last row is for padding. */
export interface PatchRing {
  readonly capacity: number;
  readonly keys: readonly Variable[];
  readonly values: readonly Variable[];
}

export function createPatchRing(config: BltConfig, lanes: number, capacity: number): PatchRing {
  const { decoder, crossAttnK: slots } = config;
  const width = (slots * decoder.kvHeads * decoder.hiddenSize) / decoder.heads;
  const layers = () => Array.from({ length: crossLayers(config) }, () => zeroVariable([lanes * capacity + 1, width]));
  return { capacity, keys: layers(), values: layers() };
}

/** Takes `count` patches a lane through the layers [lanes * count, Hg], and writes what the decoder reads into rows `ring` [lanes * count]. */
export function globalStep(model: HeldBlt, caches: LayerCaches, ring: PatchRing, { lanes, count, mode }: StepShape) {
  const { config } = model;
  const inputs = {
    vectors: floats(lanes * count, config.global.hiddenSize),
    ring: ints(lanes * count),
    ...placeInputs(caches, count),
  };
  return stepFunction(inputs, mode, ({ vectors, ring: rows, ...places }) => {
    const params = heldParams(model);
    const latent = globalLayers(params, vectors, cachedContext(caches, 'model.global_transformer', places, count));
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
  { lanes, count, mode }: StepShape,
) {
  const { config } = model;
  const slots = config.crossAttnK;
  const inputs = { bytes: ints(lanes * count), patch: ints(lanes * count), ...placeInputs(caches, count) };
  return stepFunction(inputs, mode, ({ bytes, patch, ...places }) => {
    const params = heldParams(model);
    const rows = (kept: Variable) => tf.reshape(kept.gatherRows(patch), [lanes * count * slots, -1]);
    const reading = {
      patches: lanes * count,
      patchOfByte: tf.range(0, lanes * count, 1, 'int32'),
      of: (i: number) => ({ key: rows(patches.keys[i]!), value: rows(patches.values[i]!) }),
    };
    const context = cachedContext(caches, 'model.local_decoder', places, count);
    const hidden = decoderLayers(params, config, states.states.gatherRows(bytes), reading, context);
    return [linear(hidden, param(params, 'lm_head.weight'))];
  });
}
