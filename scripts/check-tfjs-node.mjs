// Checks that `--backend tfjs-node-gpu` computes the same as byteify's own engine: builds that package's addon against the libraries that
// `byteify setup` downloaded, scores a text with both backends, and runs a short training with that package.
// Run: npm run -s check:tfjs-node [-- --wheels DIR]
// It needs a C++ compiler, make and Node's headers (include/node next to bin/node).
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { fetchWheel } from '../dist/engine/fetch-wheel.js';
import { locateEngine } from '../dist/engine/locate.js';
import { buildAddon, headerWheel } from './check-tfjs-node/addon.mjs';
import { FEW_STEPS } from './few-steps.mjs';
import { workFolder } from './work-folder.mjs';

const { values } = parseArgs({
  options: {
    /** A folder in which the wheel with the headers is kept and reused. */
    wheels: { type: 'string' },
  },
});

const root = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = '@tensorflow/tfjs-node-gpu';
const BACKENDS = ['libtensorflow', 'tfjs-node-gpu'];
const MODEL = join(root, 'test/fixtures/golden/plain/blt');
const TEXT = 'Bytes are all there is: no vocabulary, no merges, no ünknown words.\n';
/** The largest difference in the nats of one byte; both backends compute in float32. */
const TOLERANCE = 1e-4;
const work = workFolder('byteify-tfjs-node');
const run = async (command, args) =>
  (await promisify(execFile)(command, args, { cwd: work, maxBuffer: 2 ** 28 })).stdout;

async function install() {
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', work, root]);
  await writeFile(join(work, 'package.json'), '{ "private": true }\n');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  await run('npm', ['install', ...quiet, join(work, `${name}-${version}.tgz`), PACKAGE]);
}

const byteify = (backend, args) =>
  run(join(work, 'node_modules/.bin/byteify'), [...args, '--backend', backend, '--json']).then((text) =>
    JSON.parse(text),
  );

async function checkScores() {
  const file = join(work, 'text.txt');
  await writeFile(file, TEXT);
  const [ours, theirs] = await Promise.all(BACKENDS.map((backend) => byteify(backend, ['score', MODEL, file])));
  const differences = ours.nll_nats.map((nats, i) => Math.abs(nats - theirs.nll_nats[i]));
  const largest = Math.max(...differences);
  const same = String(ours.patch_lengths) === String(theirs.patch_lengths);
  console.log(
    `${differences.length} bytes scored: nats differ by at most ${largest.toExponential(1)}, patches are ${same ? 'equal' : 'different'}`,
  );
  return same && largest <= TOLERANCE;
}

async function checkTraining() {
  const { bits_per_byte: bits } = await byteify(BACKENDS[1], ['demo', '--out', join(work, 'demo'), ...FEW_STEPS]);
  console.log(`a conversion of a few steps ends at ${bits?.toFixed(3)} bits per byte`);
  return Number.isFinite(bits);
}

try {
  const engine = locateEngine();
  if (engine === null) throw new Error('The engine is not set up: run `byteify setup` first.');
  await install();
  const wheel = join(
    values.wheels ?? work,
    `${headerWheel.project}-${headerWheel.version}-${headerWheel.platform}.whl`,
  );
  await fetchWheel(headerWheel, wheel, 'python3');
  await buildAddon(join(work, 'node_modules', PACKAGE), engine.folder, wheel);
  console.log(`${PACKAGE} is built against TensorFlow ${engine.version} in ${engine.folder}`);
  const results = [await checkScores(), await checkTraining()];
  process.exitCode = results.every(Boolean) ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
