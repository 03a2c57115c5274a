// Finds the TensorFlow and CUDA libraries and checks that they offer the GPU.
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { startEngine } from '../../../dist/engine/index.js';
import { locateEngine } from '../../../dist/engine/setup/locate.js';
import { loadedLibraries, missingLibraries } from '../loaded.mjs';
import { failed } from '../verdict.mjs';

const NAME = 'libraries';
const HINT = 'run `byteify setup --gpu`';

const assemblerPath = (folder) => join(folder, '..', 'nvidia', 'cuda_nvcc', 'bin', 'ptxas');

/** The state of XLA's assembler, which `byteify setup --gpu` installs next to the libraries. Other installations use that of CUDA. */
async function assemblerOf(folder) {
  const path = assemblerPath(folder);
  const isAccessible = (mode) =>
    access(path, mode).then(
      () => true,
      () => false,
    );
  if (!(await isAccessible(constants.F_OK))) return 'absent';
  return (await isAccessible(constants.X_OK)) ? 'ready' : 'not executable';
}

/** @param {{ gpu: import('../nvidia-smi.mjs').Gpu }} options @returns {Promise<import('../verdict.mjs').Result[]>} */
export async function check({ gpu }) {
  const location = locateEngine();
  if (location === null) return [failed(NAME, `the engine is not set up: ${HINT}`)];
  if (location.build === 'cpu') return [failed(NAME, `the CPU build is set up, which uses no GPU: ${HINT}`)];
  const engine = await startEngine();
  const loaded = loadedLibraries(await readFile('/proc/self/maps', 'utf8'));
  const missing = missingLibraries(loaded);
  const assembler = await assemblerOf(location.folder);
  const offered = engine.devices.filter(({ type }) => type === 'GPU').map(({ name }) => name);
  const problems = [];
  if (offered.length === 0) {
    problems.push(`TensorFlow offers no GPU${missing.length === 0 ? '' : `; not loaded: ${missing.join(', ')}`}`);
  }
  if (assembler === 'not executable')
    problems.push(`XLA’s assembler is not executable: chmod +x ${assemblerPath(location.folder)}`);
  const memory = gpu.totalBytes === null ? 'memory unknown' : `${(gpu.totalBytes / 1e9).toFixed(1)} GB`;
  const card = `${gpu.name}, ${memory}, driver ${gpu.driver}, compute capability ${gpu.computeCapability ?? 'unknown'}`;
  const found = `TensorFlow ${engine.version} (${location.build} build); ${card}; ${[...loaded.values()].map((path) => basename(path)).join(', ') || 'no CUDA library loaded'}`;
  return [
    {
      name: NAME,
      ok: problems.length === 0,
      detail: problems.length === 0 ? found : `${problems.join('; ')} (${found})`,
      figures: {
        tensorflow: engine.version,
        build: location.build,
        folder: location.folder,
        devices: offered,
        loaded: Object.fromEntries(loaded),
        missing,
        ptxas: assembler,
      },
    },
  ];
}
