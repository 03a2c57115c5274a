/**
 * @module The objective of the byte language model that serves as patcher (docs/blt-format.md 2.1): to predict the next byte and, on request, to be
 * certain inside of characters, so that patches end between them.
 */
import { type BltConfig, BYTE_OFFSET } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import { entropyOf, PATCHER_FIELDS, patcherForward } from '../../model/index.js';
import { boundaryLoss } from '../losses/boundary-loss.js';
import {
  byteCrossEntropy,
  CROSS_ENTROPY,
  lossOver,
  NEXT_BYTE_FIELDS,
  type NextByteBatch,
  nextByte,
  type Objective,
  objectiveOfStage,
} from '../stages/objective.js';
import { inRange } from './byte-range.js';

/** Nats. Thresholds of patchers are higher, so that an entropy below it ends no patch. */
const INSIDE_THRESHOLD = 1;
const INSIDE_TEMPERATURE = 0.25;

/** The ids of bytes that continue a UTF-8 character, 10xxxxxx: from the first to before the second. */
const CONTINUATIONS = [0x80 + BYTE_OFFSET, 0xc0 + BYTE_OFFSET] as const;

/** The weights of positions whose next byte continues a character. */
const insideWeights = ({ targets, weights }: NextByteBatch): tf.Tensor =>
  tf.mul(weights, inRange(targets, CONTINUATIONS));

/** @param characterWeight weight of the loss inside of characters, relative to that of the next byte; 0 for none */
export function patcherObjective(config: BltConfig, characterWeight: number): Objective {
  const stage = objectiveOfStage({ kind: 'patcher' });
  const fields = [...PATCHER_FIELDS, ...NEXT_BYTE_FIELDS] as const;
  if (characterWeight === 0)
    return {
      ...stage,
      ...lossOver(fields, (params, batch, options) =>
        nextByte(patcherForward(params, config.patcher, batch, options), batch),
      ),
    };
  return {
    ...stage,
    parts: [CROSS_ENTROPY, 'inside_characters'],
    ...lossOver(fields, (params, batch, options) => {
      const logits = patcherForward(params, config.patcher, batch, options);
      const next = byteCrossEntropy(logits, batch);
      const boundary = { threshold: INSIDE_THRESHOLD, temperature: INSIDE_TEMPERATURE };
      const inside = boundaryLoss(entropyOf(logits), tf.zerosLike(batch.weights), insideWeights(batch), boundary);
      return { value: tf.add(next, tf.mul(inside, characterWeight)) as tf.Scalar, parts: [next, inside as tf.Scalar] };
    }),
  };
}
