// The memory of end-to-end training on one GPU under several settings: by the plan and, with --target, by XLA's compiler, which needs no GPU.
// Run: npm run bench:memory [-- --model llama-3.1-8b --rows 1 --bytes 4096 --target h100 --only 'global frozen' --out docs/bench/accelerator]
// Compiling takes 260 MB to download the first time, and minutes per row.
import { parseArgs } from 'node:util';
import { compileStageInProcess, largestProgram, TARGET_NAMES } from '../dist/accelerator/index.js';
import { setUpCompiler } from '../dist/engine/index.js';
import { loadRecipe } from '../dist/recipe/index.js';
import { trainingsOf } from '../scripts/check-accelerator/plan-of.mjs';
import { SOURCES, sourceOf } from '../scripts/check-accelerator/sources.mjs';
import { table } from './markdown-table.mjs';
import { misuse } from './misuse.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-3.1-8b' },
    rows: { type: 'string', default: '1' },
    bytes: { type: 'string', default: '4096' },
    target: { type: 'string' },
    only: { type: 'string' },
    out: { type: 'string' },
  },
});
if (!(values.model in SOURCES)) misuse(`--model is one of ${Object.keys(SOURCES).join(', ')}`);
const target = TARGET_NAMES.find((name) => name === values.target);
if (values.target !== undefined && target === undefined) misuse(`--target is one of ${TARGET_NAMES.join(', ')}`);

/** The settings of the stage, as `--set` takes them. */
const VARIANTS = {
  'global and hash frozen': ['frozen=[global, hash]', 'optimizer_state=float32'],
  'global frozen': ['frozen=[global]', 'optimizer_state=8-bit'],
  'LoRA of rank 16': ['lora={rank: 16, alpha: 32}', 'optimizer_state=8-bit'],
  'all, 8-bit moments': ['optimizer_state=8-bit'],
  'all, bfloat16 moments': ['optimizer_state=bfloat16'],
  'all, float32 moments': ['optimizer_state=float32'],
  'all by Muon, 8-bit moments': ['optimizer=muon', 'optimizer_state=8-bit'],
  'all by Muon, float32 moments': ['optimizer=muon', 'optimizer_state=float32'],
};
const HASH_VOCABS = [500_002, 20_002];
const CARD_GIGABYTES = [24, 48, 80, 141];

const SHAPE = [
  `batch_bytes=${Number(values.rows) * Number(values.bytes)}`,
  `sequence_length=${values.bytes}`,
  `micro_batch_size=${values.rows}`,
];

const source = sourceOf(values.model);
const plugin = target === undefined ? null : await setUpCompiler();

async function measure(hashVocab, [title, settings]) {
  const stage = [...SHAPE, ...settings].map((setting) => `stages.0.${setting}`);
  const recipe = await loadRecipe(`${values.model}-paper`, { sets: [`blt.hash_vocab=${hashVocab}`, ...stage] });
  const { memory } = trainingsOf(recipe, source)[1];
  const compiled =
    plugin === null
      ? null
      : await compileStageInProcess({
          ...{ recipe, source, stage: 0, plugin, targets: [target] },
          layout: { devices: 1, dividesVariables: false },
        });
  const found = {
    title: `${title}, hash 6 x ${hashVocab.toLocaleString('en')}`,
    memory,
    compiled: compiled?.[0] ?? null,
  };
  console.error(rowOf(found).join('  '));
  return found;
}

const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);

function rowOf({ title, memory, compiled }) {
  const { weightsBytes, gradientsBytes, momentsBytes, activationsBytes, deviceBytes } = memory;
  const peak = compiled === null ? deviceBytes : largestProgram(compiled).peakBytes;
  const card = CARD_GIGABYTES.find((size) => peak < size * 1e9);
  return [
    title,
    ...[weightsBytes, gradientsBytes, momentsBytes, activationsBytes, deviceBytes].map(gigabytes),
    ...(compiled === null ? [] : [gigabytes(peak)]),
    card === undefined ? 'none' : `${card} GB`,
  ];
}

const wanted = Object.entries(VARIANTS).filter(([title]) => values.only === undefined || title === values.only);
const found = [];
for (const vocab of HASH_VOCABS) for (const variant of wanted) found.push(await measure(vocab, variant));
const heads = ['what is trained', 'weights', 'gradients', 'moments', 'activations', 'peak by the plan, GB'];
publish(values.out, 'memory', {
  report: { command: 'npm run bench:memory', ...values, variants: found },
  markdown: table([...heads, ...(target === undefined ? [] : ['by the compiler']), 'fits'], found.map(rowOf)),
});
