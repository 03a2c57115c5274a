/** @module The engine: its libraries, the bridge to them, and how fast it is. */

import { locateEngine } from '../../engine/locate.js';
import { messageOf } from '../../errors.js';
import { measuredGflops } from '../../plan/measured-gflops.js';
import type { Check } from './check.js';

export function checkEngine(): Check {
  const engine = locateEngine();
  if (engine === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: "TensorFlow's libraries are not here",
      mend: 'byteify setup (or byteify setup --libtensorflow DIR for a copy at hand)',
    };
  }
  const gflops = measuredGflops();
  const speed = gflops === null ? 'speed not measured' : `${Math.round(gflops)} GFLOP/s`;
  return {
    name: 'engine',
    required: true,
    ok: true,
    detail: `TensorFlow ${engine.version}, ${speed}, in ${engine.folder}`,
    mend: gflops === null ? 'byteify setup measures it' : null,
  };
}

/** koffi ships a binary a platform; an install with another platform's node_modules lacks it. */
export async function checkBridge(): Promise<Check> {
  const check = { name: 'koffi', required: true };
  try {
    const { default: koffi } = await import('koffi');
    return { ...check, ok: true, detail: `${koffi.version} loads`, mend: null };
  } catch (error) {
    return {
      ...check,
      ok: false,
      detail: messageOf(error).split('\n', 1)[0] ?? '',
      mend: 'npm install, on this machine',
    };
  }
}
