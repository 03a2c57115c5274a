/** @module Identifies a BLT's config, whatever order or defaults its file has. */
import { digestOf } from '../fs/index.js';
import type { BltConfig } from './config.js';
import { toTransformersConfig } from './transformers-config.js';

/** SHA-256 of the config; the type of the weights does not count. */
export const configDigest = (config: BltConfig): string => digestOf(toTransformersConfig(config, 'float32'));
