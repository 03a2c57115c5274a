// NCCL, which several GPUs talk through: found beside TensorFlow or by the loader, and loaded.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { locateEngine } from '../../../dist/engine/locate.js';
import { failed, ncclVersion } from '../verdict.mjs';

const NAME = 'NCCL';
const FILE = 'libnccl.so.2';
const SUCCESS = 0;

/** Where `byteify setup --gpu` puts it; else whatever the loader finds by its name. */
function locate() {
  const folder = locateEngine()?.folder;
  const beside = folder === undefined ? null : join(folder, '..', 'nvidia', 'nccl', 'lib', FILE);
  return beside !== null && existsSync(beside) ? beside : FILE;
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
