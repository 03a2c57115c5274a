// Trains the embedded tiny Llama (assets/tiny-llama) from scratch with this project's engine. The text is the documentation in the
// installed packages: their Markdown files, and the comments of Node's type declarations. It includes the demo's training text but not its
// held-out documents, since the split of a document depends on its content alone.
// Run: npm run build && node scripts/tiny-llama/train.mjs [--steps N]    (about half an hour on two cores)
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { allTexts, buildStore, evaluationTexts, openStore, textDomain } from '../../dist/data/index.js';
import { createVariable, crossEntropySum, startEngine, tf } from '../../dist/engine/index.js';
import { llamaBitsPerByte } from '../../dist/evaluate/index.js';
import { clipScale, globalNorm, lossAndGradients } from '../../dist/finetune/loop/gradients.js';
import { corrections, createParameterState, updateParameter } from '../../dist/finetune/optimizers/adamw.js';
import { learningRateAt } from '../../dist/finetune/optimizers/schedule.js';
import { llamaTensors, parseLlamaConfig } from '../../dist/llama/index.js';
import { llamaHidden } from '../../dist/model/index.js';
import { demoCorpus } from '../../dist/pipeline/demo-corpus.js';
import { loadRecipe } from '../../dist/recipe/index.js';
import { fromFloat32, toFloat32, writeCheckpoint } from '../../dist/safetensors/index.js';
import { loadTokenizer } from '../../dist/tokenizer/index.js';
import { trainBpe } from './train-bpe.mjs';

const { values: args } = parseArgs({
  options: { steps: { type: 'string', default: '2500' }, out: { type: 'string', default: 'assets/tiny-llama' } },
});
const STEPS = Number(args.steps);
const ROWS = 8;
const TOKENS = 256;
const VOCABULARY = 1024;
const SEED = 1;
/** @type {import('../../dist/finetune/optimizers/adamw.js').AdamWOptions} */
const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 };
/** @type {import('../../dist/finetune/optimizers/schedule.js').Schedule} */
const SCHEDULE = {
  learning_rate: 3e-3,
  warmup_steps: 100,
  steps: STEPS,
  schedule: 'cosine',
  min_learning_rate_ratio: 0.05,
};

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: VOCABULARY,
  hidden_size: 128,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  intermediate_size: 352,
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 0,
  eos_token_id: 1,
  torch_dtype: 'bfloat16',
};

/** A generator of uniform random numbers in [0, 1): Mulberry32. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Initial values: ones for norms, otherwise normal with a standard deviation of 0.02. */
function initial(shape, random) {
  const size = shape.reduce((a, b) => a * b, 1);
  if (shape.length === 1) return new Float32Array(size).fill(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length: size }, () => 0.02 * normal());
}

async function readTexts(split) {
  return Promise.all(
    Array.from({ length: split.count }, async (_, i) => new TextDecoder().decode(await split.read(i))),
  );
}

/** The Markdown files of the installed packages, except the known ones. */
async function otherMarkdown(known) {
  const files = (await readdir('node_modules', { recursive: true })).filter(
    (path) => /\.md$/i.test(path) && !/LICENSE/i.test(path),
  );
  const names = new Set(known.map((path) => path.slice(path.lastIndexOf('node_modules/'))));
  return files
    .map((path) => `node_modules/${path}`)
    .filter((path) => !names.has(path))
    .sort();
}

/** Writes the documentation comments of Node's type declarations, as one text per module. @returns the paths of the texts */
async function typeComments(folder) {
  const root = 'node_modules/@types/node';
  const files = (await readdir(root, { recursive: true })).filter((path) => path.endsWith('.d.ts')).sort();
  const written = [];
  for (const path of files) {
    const comments = [...(await readFile(join(root, path), 'utf8')).matchAll(/\/\*\*(.*?)\*\//gs)];
    const text = comments.map(([, body]) => body.replace(/^[ \t]*\* ?/gm, '').trim()).join('\n\n');
    if (text.length < 1000) continue;
    written.push(join(folder, `node-${path.replaceAll('/', '-')}.txt`));
    await writeFile(written.at(-1), text);
  }
  return written;
}

const work = await mkdtemp(join(tmpdir(), 'tiny-llama-'));
try {
  await startEngine();
  const recipe = await loadRecipe('tiny');
  const { max_document_bytes, validation_fraction, text_key } = recipe.data;
  const settings = {
    validationFraction: validation_fraction,
    textKey: text_key,
    seed: recipe.seed,
  };
  const openNew = async (name, paths) => {
    await buildStore({ ...settings, domains: [textDomain(paths, max_document_bytes)], out: join(work, name) });
    return openStore(join(work, name));
  };
  const corpus = await demoCorpus();
  const demoStore = await openNew('demo', corpus);
  const heldOut = allTexts(await evaluationTexts(demoStore.validation, { maxBytes: recipe.evaluate.validation_bytes }));
  await demoStore.close();
  const store = await openNew('all', [...corpus, ...(await otherMarkdown(corpus)), ...(await typeComments(work))]);
  const texts = await readTexts(store.train);
  const { tokenizerJson, tokenizerConfig } = trainBpe(texts.join('\n'), VOCABULARY);
  await mkdir(args.out, { recursive: true });
  const json = (value) => `${JSON.stringify(value, null, 1)}\n`;
  await writeFile(join(args.out, 'tokenizer.json'), json(tokenizerJson));
  await writeFile(join(args.out, 'tokenizer_config.json'), json(tokenizerConfig));
  await writeFile(join(args.out, 'config.json'), json(CONFIG));
  const tokenizer = await loadTokenizer(args.out);

  // One stream of tokens: <|begin|> text <|end|> <|begin|> text ...
  const stream = Int32Array.from(texts.flatMap((text) => [0, ...tokenizer.encode(text), 1]));
  console.log(`${store.train.byteCount} bytes, ${stream.length} tokens to train on`);
  const config = parseLlamaConfig(CONFIG, 'config.json');
  const random = randomOf(SEED);
  const parameters = llamaTensors(config).map(({ name, shape }) =>
    createParameterState(name, createVariable(tf.tensor(initial(shape, random), [...shape])), {
      learningRateScale: 1,
      decay: shape.length > 1 && !name.includes('embed'),
      optimizer: 'adamw',
    }),
  );
  const read = () => new Map(parameters.map(({ name, value }) => [name, value.read()]));
  const model = (params) => ({ params, config, ropeLayout: /** @type {const} */ ('half') });
  const measured = async (params) => {
    const bits = await llamaBitsPerByte(model(params), tokenizer, heldOut);
    tf.dispose([...params.values()]);
    return bits;
  };
  for (let step = 1; step <= STEPS; step++) {
    const [ids, labels] = [new Int32Array(ROWS * TOKENS), new Int32Array(ROWS * TOKENS)];
    for (let row = 0; row < ROWS; row++) {
      const from = Math.floor(random() * (stream.length - TOKENS - 1));
      ids.set(stream.subarray(from, from + TOKENS), row * TOKENS);
      labels.set(stream.subarray(from + 1, from + TOKENS + 1), row * TOKENS);
    }
    /** @type {import('../../dist/finetune/loop/gradients.js').Loss} */
    const loss = (params) => {
      const { hidden, head } = llamaHidden(model(params), ids, ROWS);
      const logits = tf.matMul(hidden, head, false, true);
      return tf.div(crossEntropySum(logits, tf.tensor1d(labels, 'int32'), tf.ones([ROWS * TOKENS])), ROWS * TOKENS);
    };
    const value = tf.tidy(() => {
      const { loss: sum, gradients } = lossAndGradients(read(), loss);
      const [firstCorrection, secondCorrection] = corrections(step, ADAMW.betas);
      const scalars = {
        learningRate: tf.scalar(learningRateAt(step, SCHEDULE)),
        firstCorrection: tf.scalar(firstCorrection),
        secondCorrection: tf.scalar(secondCorrection),
        gradientScale: clipScale(globalNorm(gradients), 1),
      };
      parameters.forEach((parameter, i) => {
        updateParameter(parameter, gradients[i], scalars, ADAMW);
      });
      return sum.dataSync()[0];
    });
    if (step % 250 === 0 || step === STEPS) {
      const { bitsPerByte } = await measured(read());
      console.log(
        `step ${step}: ${value.toFixed(4)} nats per token, ${bitsPerByte.toFixed(4)} bits per byte on held-out text`,
      );
    }
  }

  const infos = parameters.map(({ name, value }) => ({
    name,
    dtype: /** @type {const} */ ('BF16'),
    shape: value.shape,
  }));
  const stored = new Map();
  for (const [name, value] of read()) stored.set(name, fromFloat32(Float32Array.from(value.dataSync()), 'BF16'));
  await writeCheckpoint(args.out, infos, ({ name }) => stored.get(name));
  const rounded = new Map();
  for (const { name, shape } of infos) rounded.set(name, tf.tensor(toFloat32(stored.get(name), 'BF16'), [...shape]));
  const { bitsPerByte, bytesPerToken } = await measured(rounded);
  const { version } = createRequire(import.meta.url)('../../package.json');
  const files = store.manifest.files.map(({ path, sha256, size_bytes }) => ({
    path: path.includes('node_modules/') ? path.slice(path.lastIndexOf('node_modules/')) : basename(path),
    size_bytes,
    sha256,
  }));
  const sha256 = createHash('sha256')
    .update(await readFile(join(args.out, 'model.safetensors')))
    .digest('hex');
  await writeFile(
    join(args.out, 'provenance.json'),
    json({
      made_by: `scripts/tiny-llama/train.mjs of byteify ${version}`,
      license: 'Apache-2.0',
      steps: STEPS,
      tokens_per_step: ROWS * TOKENS,
      held_out_bits_per_byte: bitsPerByte,
      bytes_per_token: bytesPerToken,
      model_sha256: sha256,
      text: 'Markdown files of the installed packages and the comments of @types/node (node-*.txt): the training split of the recipe tiny',
      files,
    }),
  );
  console.log(
    `wrote ${args.out}: ${bitsPerByte.toFixed(4)} bits per byte on held-out text, ${bytesPerToken.toFixed(2)} bytes per token`,
  );
  await store.close();
} finally {
  await rm(work, { recursive: true, force: true });
}
