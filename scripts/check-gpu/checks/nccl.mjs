// Loads NCCL, through which several GPUs communicate, from the folder next to TensorFlow or from the loader's paths.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { locateEngine } from '../../../dist/engine/setup/locate.js';
import { failed, ncclVersion } from '../verdict.mjs';

const NAME = 'NCCL';
const FILE = 'libnccl.so.2';
const SUCCESS = 0;

/** The copy that `byteify setup --gpu` installs, or else the name, for the loader to find. */
function locate() {
  const folder = locateEngine()?.folder;
  const installed = folder === undefined ? null : join(folder, '..', 'nvidia', 'nccl', 'lib', FILE);
  return installed !== null && existsSync(installed) ? installed : FILE;
}

/** @returns {Promise<import('../verdict.mjs').Result[]>} */
export async function check() {
  const path = locate();
  try {
    const version = new Int32Array(1);
    const status = koffi.load(path).func('int ncclGetVersion(void* version)')(version);
    if (status !== SUCCESS) return [failed(NAME, `${path} loads, but ncclGetVersion gives ${status}`)];
    const found = ncclVersion(version[0] ?? 0);
    return [{ name: NAME, ok: true, detail: `${found}, ${path}`, figures: { version: found, path } }];
  } catch (error) {
    return [failed(NAME, `${path} does not load: ${error instanceof Error ? error.message : error}`)];
  }
}
