// Builds the addon of @tensorflow/tfjs-node-gpu against byteify's libraries. The package's own install script would download a TensorFlow
// of 2022.
import { execFile } from 'node:child_process';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { libraryFilesOn, pinnedWheels } from '../../dist/engine/libraries.js';
import { unpackWheel } from '../../dist/engine/unpack-wheel.js';

const run = promisify(execFile);

/** The headers in a wheel that the C API includes. */
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/'].map(
  (path) => `tensorflow/include/${path}`,
);
/** The folder that @mapbox/node-pre-gyp searches for the addon on a Node with N-API 8, which all supported versions have. */
const MODULE_PATH = 'lib/napi-v8';

/** Every wheel of a version has the headers, whatever its platform. */
export const [headerWheel] = pinnedWheels('linux-x64', 'cpu');

/** Links to the libraries under the names that the linker needs and, at run time, the addon. */
async function linkLibraries(folder, into) {
  await mkdir(into, { recursive: true });
  const [framework, cc] = libraryFilesOn(process.platform);
  const extension = process.platform === 'darwin' ? 'dylib' : 'so';
  const names = [
    [framework, framework],
    [cc, cc],
    [framework, `libtensorflow_framework.${extension}`],
    // A wheel has no libtensorflow; the larger of its libraries exports the whole C API.
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
  // Uses the headers of this Node, so that node-gyp downloads nothing.
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
