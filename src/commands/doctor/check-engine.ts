/** @module Checks of the engine: its libraries, the bridge to them, and its speed. */

import { type EngineLocation, locateEngine } from '../../engine/locate.js';
import { type Machine, supportOf, thisMachine } from '../../engine/machine.js';
import { selfTestOf } from '../../engine/self-test-record.js';
import { messageOf } from '../../errors.js';
import type { Check } from './check.js';

/** Checks that the libraries are installed, and that they have passed their self-test since they last changed. */
export function checkEngine(machine: Machine = thisMachine()): Check {
  const engine = locateEngine();
  if (engine === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: "TensorFlow's libraries are not installed",
      mend:
        supportOf(machine).advice?.hint ??
        'byteify setup (or byteify setup --libtensorflow DIR to use an existing copy)',
    };
  }
  const test = selfTestOf(engine.folder);
  if (test === null) {
    return {
      name: 'engine',
      required: true,
      ok: false,
      detail: `TensorFlow ${engine.version} in ${engine.folder} has not been tested yet`,
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

/** The flags with which `byteify setup` keeps these libraries. */
function flagsFor({ build, folder }: EngineLocation): string {
  if (build === 'own') return ` --libtensorflow ${folder}`;
  return build === 'gpu' ? ' --gpu' : '';
}

/** Checks that koffi loads. It ships one binary per platform, so node_modules from another platform lack the right one. */
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
      mend: 'run npm install on this machine',
    };
  }
}
