/** @module Rotary settings in config.json files: `rope_parameters` (transformers 5) or `rope_theta` with `rope_scaling` (4). */
import { ByteifyError } from '../errors.js';
import type { RopeConfig } from './config.js';

type Json = Record<string, unknown>;

const CONVERTIBLE_ROPE = 'Plain rope and llama3 scaling (Llama 3.1 and later) can be converted.';

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function positive(json: Json, key: string, where: string): number {
  const value = json[key];
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new ByteifyError(
    value === undefined
      ? `${where}: its rope settings lack ${key}.`
      : `${where}: ${key} must be a number above zero, not ${JSON.stringify(value)}.`,
  );
}

/** The object that contains the settings: `rope_scaling` unless it is empty, as in transformers 5 (modeling_rope_utils.py). */
function settingsOf(json: Json, where: string): Json {
  for (const key of ['rope_scaling', 'rope_parameters']) {
    const settings = json[key];
    if (settings === undefined || settings === null) continue;
    if (!isObject(settings))
      throw new ByteifyError(`${where}: ${key} must be an object, not ${JSON.stringify(settings)}.`);
    if (Object.keys(settings).length > 0) return settings;
  }
  return {};
}

/** llama3's rule needs the context length of the original training. If none is given, it is the full context length. */
function llama3(settings: Json, json: Json, theta: number, where: string): RopeConfig {
  const original = 'original_max_position_embeddings';
  const context = { [original]: json[original] ?? settings[original] ?? json.max_position_embeddings };
  const rope: RopeConfig = {
    type: 'llama3',
    theta,
    factor: positive(settings, 'factor', where),
    lowFreqFactor: positive(settings, 'low_freq_factor', where),
    highFreqFactor: positive(settings, 'high_freq_factor', where),
    originalMaxPositions: positive(context, original, where),
  };
  if (rope.highFreqFactor <= rope.lowFreqFactor) {
    throw new ByteifyError(
      `${where}: high_freq_factor is ${rope.highFreqFactor} and must be above low_freq_factor, which is ${rope.lowFreqFactor}.`,
    );
  }
  return rope;
}

/**
 * Reads either spelling as transformers 5 does.
 * @param json the object that contains the keys; @param where names it in errors; @param defaultTheta the base if the settings lack it.
 * @throws ByteifyError for kinds of scaling that a BLT in transformers is not known to reproduce exactly, and for settings that are
 * missing or not positive numbers.
 */
export function parseRope(json: Json, where: string, defaultTheta: number): RopeConfig {
  const settings = settingsOf(json, where);
  const layerType = Object.keys(settings).find((key) => isObject(settings[key]));
  if (layerType !== undefined) {
    throw new ByteifyError(`${where}: its rope differs by layer type (${layerType}).`, {
      hint: CONVERTIBLE_ROPE,
    });
  }
  const type = settings.rope_type ?? settings.type ?? 'default';
  const thetas = { rope_theta: settings.rope_theta ?? json.rope_theta ?? defaultTheta };
  const theta = positive(thetas, 'rope_theta', where);
  if (type === 'default' || (type === 'linear' && settings.factor === 1)) return { type: 'default', theta };
  if (type === 'llama3') return llama3(settings, json, theta, where);
  throw new ByteifyError(`${where}: rope scaling ${JSON.stringify(type)} cannot be converted.`, {
    hint: CONVERTIBLE_ROPE,
  });
}

/** The keys of both styles, so that either version of transformers finds its own (blt-format 3.2). */
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
