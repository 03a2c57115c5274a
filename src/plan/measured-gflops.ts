/** @module Reads the speed of matrix products on this machine, as measured by the engine's self-test. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
// Not the folder's index, which loads TensorFlow's operations.
import { engineHome } from '../engine/setup/folders.js';

/** GFLOP/s of a float32 matrix product, or null when `byteify setup` has not measured it. */
export function measuredGflops(env: Readonly<Record<string, string | undefined>> = process.env): number | null {
  try {
    const { gflops } = JSON.parse(readFileSync(join(engineHome(env), 'self-test.json'), 'utf8')) as {
      gflops?: unknown;
    };
    return typeof gflops === 'number' && gflops > 0 ? gflops : null;
  } catch {
    return null;
  }
}
