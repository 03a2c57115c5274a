/** @module The engine: its libraries, the bridge to them, and how fast it is. */

import { type EngineLocation, locateEngine } from '../../engine/locate.js';
import { type Machine, supportOf, thisMachine } from '../../engine/machine.js';
import { selfTestOf } from '../../engine/self-test-record.js';
import { messageOf } from '../../errors.js';
import type { Check } from './check.js';

/** Whether libraries are here, and passed their self-test as they are now. */
export function checkEngine(machine: Machine = thisMachine()): Check {
  const engine = locateEngine();
  if (engine === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: "TensorFlow's libraries are not here",
      mend:
        supportOf(machine).advice?.hint ?? 'byteify setup (or byteify setup --libtensorflow DIR for a copy at hand)',
    };
  }
  const test = selfTestOf(engine.folder);
  if (test === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: `TensorFlow ${engine.version} in ${engine.folder} was not tried yet`,
      mend: `byteify setup${flagsFor(engine)}`,
    };
  }
  return {
    name: 'engine',
    required: true,
    ok: true,
    detail: `TensorFlow ${test.tensorflow}, ${Math.round(test.gflops)} GFLOP/s, in ${engine.folder}`,
    mend: null,
  };
}

/** Those with which the set-up keeps these libraries. */
function flagsFor({ build, folder }: EngineLocation): string {
  if (build === 'own') return ` --libtensorflow ${folder}`;
  return build === 'gpu' ? ' --gpu' : '';
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
