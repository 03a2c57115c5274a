// Measures how much smaller weight types speed up the product of one row by all the matrices of SmolLM2-135M's 30 layers, compiled by XLA.
// Prints [{name, ms, gb_per_second, gweights_per_second}].
// node bench/generate/one-row.mjs THREADS

import { DataType } from '../../dist/engine/data-type.js';
import { compile, linear, startEngine, tf } from '../../dist/engine/index.js';
import { castNative } from '../../dist/engine/raw-op.js';
import { createResource } from '../../dist/engine/resource.js';
import { median } from '../process.mjs';

const WIDTH = 576;
/** @type {[name: string, rows: number, columns: number][]} */
const LAYER = [
  ['q', WIDTH, WIDTH],
  ['o', WIDTH, WIDTH],
  ['k', 192, WIDTH],
  ['v', 192, WIDTH],
  ['gate', 1536, WIDTH],
  ['up', 1536, WIDTH],
  ['down', WIDTH, 1536],
];
const LAYERS = 30;
const WEIGHTS = LAYERS * LAYER.reduce((sum, [, rows, columns]) => sum + rows * columns, 0);
const ROUNDS = 15;

await startEngine({ threads: Number(process.argv[2]) });
const backend = /** @type {import('../../dist/engine/backend.js').EngineBackend} */ (tf.backend());

/** Applies one scale per row of the weights, as int8 quantisation requires. */
const scaled = (y) => tf.mul(y, tf.fill([y.shape[1]], 2 ** -10));
const int8ToFloat = (w) => castNative(w, DataType.int8, DataType.float32);
/** The product as sums over the rows of the weights, which XLA fuses with the conversion. */
const productBySums = (x, w) => tf.reshape(tf.sum(tf.mul(x, w), 1), [1, -1]);

/** The stored type of the weights, and the product of a row [1, columns] by them. */
const VARIANTS = [
  { name: 'float32', type: 'float32', bytes: 4, product: linear },
  { name: 'bfloat16', type: 'bfloat16', bytes: 2, product: linear },
  {
    name: 'int8, product',
    type: 'int8',
    bytes: 1,
    product: (x, w) => scaled(tf.matMul(x, int8ToFloat(w), false, true)),
  },
  { name: 'int8, sum', type: 'int8', bytes: 1, product: (x, w) => scaled(productBySums(x, int8ToFloat(w))) },
];

/** Random values in [-1, 1). All matrices are filled from them, but each has its own memory. */
const LARGEST = Math.max(...LAYER.map(([, rows, columns]) => rows * columns));
const noise = tf.randomUniform([LARGEST], -1, 1, 'float32', 1);

function filledResource(type, rows, columns) {
  const resource = createResource(backend, [rows, columns], DataType[type]);
  tf.tidy(() => {
    const values = tf.reshape(tf.slice(noise, [0], [rows * columns]), [rows, columns]);
    resource.assign(castNative(tf.mul(values, type === 'int8' ? 100 : 0.05), DataType.float32, DataType[type]));
  });
  return resource;
}

/** Layers with the matrix products of a Llama, without attention and norms. */
function layers(x, model, product) {
  let out = x;
  for (const weights of model) {
    const y = (name, from) => product(from, weights[name].read());
    const keyed = tf.tile(tf.mul(y('k', out), y('v', out)), [1, WIDTH / 192]);
    const mixed = y('o', tf.add(y('q', out), keyed));
    const inner = tf.add(out, tf.tanh(mixed));
    out = tf.tanh(tf.add(inner, y('down', tf.mul(tf.sigmoid(y('gate', inner)), y('up', inner)))));
  }
  return out;
}

async function measure({ name, type, bytes, product }) {
  const model = Array.from({ length: LAYERS }, () =>
    Object.fromEntries(LAYER.map(([matrix, rows, columns]) => [matrix, filledResource(type, rows, columns)])),
  );
  const run = compile((x) => [layers(x, model, product)], [{ shape: [1, WIDTH], dtype: 'float32' }], 'xla');
  const x = tf.reshape(tf.slice(noise, [0], [WIDTH]), [1, WIDTH]);
  const times = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const begun = performance.now();
    const [y] = await run.call([x]);
    y.dataSync();
    y.dispose();
    // The first round compiles.
    if (round > 0) times.push(performance.now() - begun);
  }
  run.dispose();
  for (const weights of model) for (const resource of Object.values(weights)) resource.dispose();
  const ms = median(times);
  return { name, ms, gb_per_second: (WEIGHTS * bytes) / ms / 1e6, gweights_per_second: WEIGHTS / ms / 1e6 };
}

const measured = [];
for (const variant of VARIANTS) measured.push(await measure(variant));
console.log(JSON.stringify(measured));
process.exit();
