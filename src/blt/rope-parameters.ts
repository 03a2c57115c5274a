/** @module Rotary settings as config.json files hold them: `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (4). */
import { ByteifyError } from '../errors.js';
import type { RopeConfig } from './config.js';

type Json = Record<string, unknown>;

function positive(json: Json, key: string, where: string): number {
  const value = json[key];
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new ByteifyError(`${where}: ${key} must be a number above zero, not ${JSON.stringify(value)}.`);
}

/**
 * @param json the object that holds the keys; @param where names it in errors.
 * @throws ByteifyError for kinds of scaling that a BLT of transformers is not known to carry over exactly.
 */
export function parseRope(json: Json, where: string, defaultTheta: number): RopeConfig {
  const parameters = (json.rope_parameters ?? json.rope_scaling ?? {}) as Json;
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  const thetas = { rope_theta: parameters.rope_theta ?? json.rope_theta ?? defaultTheta };
  const theta = positive(thetas, 'rope_theta', where);
  if (type === 'default') return { type, theta };
  if (type !== 'llama3') {
    throw new ByteifyError(`${where}: rope scaling "${String(type)}" cannot be carried over.`, {
      hint: 'Plain rope and llama3 scaling (Llama 3.1 and later) can.',
    });
  }
  return {
    type,
    theta,
    factor: positive(parameters, 'factor', where),
    lowFreqFactor: positive(parameters, 'low_freq_factor', where),
    highFreqFactor: positive(parameters, 'high_freq_factor', where),
    originalMaxPositions: positive(parameters, 'original_max_position_embeddings', where),
  };
}

/** Both styles at once: readers of either version find theirs (blt-format 3.2). */
export function ropeKeys(rope: RopeConfig): Json {
  if (rope.type === 'default') {
    return { rope_parameters: { rope_type: 'default', rope_theta: rope.theta }, rope_theta: rope.theta };
  }
  const scaling = {
    rope_type: 'llama3',
    factor: rope.factor,
    low_freq_factor: rope.lowFreqFactor,
    high_freq_factor: rope.highFreqFactor,
    original_max_position_embeddings: rope.originalMaxPositions,
  };
  return { rope_parameters: { ...scaling, rope_theta: rope.theta }, rope_theta: rope.theta, rope_scaling: scaling };
}
