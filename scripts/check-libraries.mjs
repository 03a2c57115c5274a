// Verifies the pinned libraries of every supported machine without running them: their sha256, and that they export each function that
// byteify calls.
// Run: npm run -s check:libraries [-- --machine NAME --wheels DIR]
// It needs pip and LLVM's tools (apt-get install llvm, brew install llvm).
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchWheel } from '../dist/engine/setup/fetch-wheel.js';
import { libraryFilesOn, pinnedWheel } from '../dist/engine/setup/libraries.js';
import { PINNED_MACHINES } from '../dist/engine/setup/machine.js';
import { unpackWheel } from '../dist/engine/setup/unpack-wheel.js';
import { C_FUNCTIONS } from '../dist/engine/tensorflow/native.js';
import { judge } from './check-libraries/judge.mjs';
import { inspectLibrary } from './check-libraries/llvm.mjs';
import { workFolder } from './work-folder.mjs';

const { values } = parseArgs({
  options: {
    /** Checks one machine instead of all. */
    machine: { type: 'string' },
    /** A folder in which the wheels are kept and reused. */
    wheels: { type: 'string' },
  },
});

const PYTHON = 'python3';
const work = workFolder('byteify-check-libraries', values.wheels);

async function check(machine) {
  const wheel = pinnedWheel(machine);
  const path = join(values.wheels ?? work, `${wheel.project}-${wheel.version}-${wheel.platform}.whl`);
  await fetchWheel(wheel, path, PYTHON);
  const folder = join(work, machine);
  await unpackWheel(path, folder, wheel.members, PYTHON);
  const files = libraryFilesOn(machine.split('-')[0]);
  const libraries = await Promise.all(files.map((file) => inspectLibrary(join(folder, 'tensorflow', file))));
  await rm(folder, { recursive: true });
  const wrong = judge(machine, files, libraries, C_FUNCTIONS);
  const found = `${wheel.project} ${wheel.version} ${wheel.platform}, sha256 as pinned, ${libraries[0].format}`;
  console.log(
    wrong.length === 0
      ? `ok      ${machine}: ${found}, all ${C_FUNCTIONS.length} functions exported`
      : `failed  ${machine}: ${found}; ${wrong.join('; ')}`,
  );
  return wrong.length === 0;
}

try {
  const machines = PINNED_MACHINES.filter((machine) => (values.machine ?? machine) === machine);
  if (machines.length === 0) throw new TypeError(`--machine is one of ${PINNED_MACHINES.join(', ')}`);
  for (const machine of machines) if (!(await check(machine))) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof TypeError ? 2 : 1;
}
