// Builds @tensorflow/tfjs-node-gpu's addon against byteify's libraries. The package's own install script would download a TensorFlow of 2022.
import { execFile } from 'node:child_process';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { libraryFilesOn, pinnedWheels } from '../../dist/engine/libraries.js';
import { unpackWheel } from '../../dist/engine/unpack-wheel.js';

const run = promisify(execFile);

/** What of a wheel's headers the C API includes. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/'].map(
  (path) => `tensorflow/include/${path}`,
);
/** The folder that @mapbox/node-pre-gyp searches for the addon on a Node with N-API 8, which all supported versions have. */
const MODULE_PATH = 'lib/napi-v8';

/** Headers lie in every wheel of the version, so any machine's will do. */
export const [headerWheel] = pinnedWheels('linux-x64', 'cpu');

/** The libraries under the names that the linker and, at run time, the addon need. */
async function linkLibraries(folder, into) {
  await mkdir(into, { recursive: true });
  const [framework, cc] = libraryFilesOn(process.platform);
  const extension = process.platform === 'darwin' ? 'dylib' : 'so';
  const names = [
    [framework, framework],
    [cc, cc],
    [framework, `libtensorflow_framework.${extension}`],
    // The larger library exports the whole C API, and there is no libtensorflow in a wheel.
    [cc, `libtensorflow.${extension}`],
  ];
  for (const [file, name] of names) await symlink(join(folder, file), join(into, name));
}

/**
 * @param {string} addon the package's folder, installed with --ignore-scripts
 * @param {string} libraries the folder with byteify's two libraries
 * @param {string} wheel a wheel of the same version, for its headers
 */
export async function buildAddon(addon, libraries, wheel) {
  const deps = join(addon, 'deps');
  await unpackWheel(wheel, deps, HEADERS, 'python3');
  await rename(join(deps, 'tensorflow', 'include'), join(deps, 'include'));
  await linkLibraries(libraries, join(deps, 'lib'));
  // Node's headers lie beside it: nothing is downloaded.
  const nodeFolder = dirname(dirname(process.execPath));
  const variables = {
    module: join(addon, MODULE_PATH, 'tfjs_binding.node'),
    module_name: 'tfjs_binding',
    module_path: join(addon, MODULE_PATH),
    napi_version: '8',
    napi_build_version: '8',
  };
  const flags = Object.entries(variables).map(([name, value]) => `--${name}=${value}`);
  await run('node-gyp', ['rebuild', `--nodedir=${nodeFolder}`, ...flags], { cwd: addon, maxBuffer: 2 ** 26 });
}
