/**
 * @module The text of a config.json. transformers accepts a whole number for a value of type `float` only with a decimal point, which
 * JSON.stringify never writes.
 */

/** The keys of a BLT's config, at any depth, that transformers declares as `float` and nothing else (configuration_blt.py). */
const FLOAT_KEYS = ['patching_threshold', 'rms_norm_eps', 'initializer_range'];

const WHOLE_FLOAT = new RegExp(`("(?:${FLOAT_KEYS.join('|')})": -?\\d+)(?=,?$)`, 'gm');

/** @param json a BLT's config, as `toTransformersConfig` makes it */
export const configText = (json: unknown): string =>
  `${JSON.stringify(json, null, 2).replaceAll(WHOLE_FLOAT, '$1.0')}\n`;
