// Measures how fast a BLT made from SmolLM2-135M generates text. Alternates in one run with transformers, which computes the whole text
// again for each byte, and with the source token model. Also reports the memory bandwidth and the speed of smaller weight types.
// Run: npm run bench:generate -- --source SmolLM2-135M-Instruct.Q4_1.gguf [--model FOLDER --prompts 64,512,2048 --bytes 128
//   --peer-bytes 128,128,4 --until 3500 --weights float32,bfloat16 --drafts 0,4,8 --rounds 3 --threads 2 --text FILE --work DIR
//   --out docs/bench/generate]
// Without --model, the BLT has the recipe's sizes and is not trained. Uses the Python in BYTEIFY_PEERS_PYTHON, or creates the environment
// of the peer tests (scripts/peers-env.sh).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeBytes } from '../dist/blt/index.js';
import { transformersSource, untrainedBlt } from './generate/model.mjs';
import { agreeing, flatTable, oneRowTable, paceOf, roofTable, speedTable, textTable } from './generate/report.mjs';
import { median, openProcess, pause, peersPython } from './process.mjs';
import { beginningOf, realText } from './real-text.mjs';

const { values } = parseArgs({
  options: {
    source: { type: 'string' },
    model: { type: 'string' },
    prompts: { type: 'string', default: '64,512,2048' },
    bytes: { type: 'string', default: '128' },
    'peer-bytes': { type: 'string', default: '128,128,4' },
    until: { type: 'string', default: '3500' },
    weights: { type: 'string', default: 'float32,bfloat16' },
    drafts: { type: 'string', default: '0,4,8' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    text: { type: 'string' },
    work: { type: 'string', default: join(tmpdir(), 'byteify-bench-generate') },
    out: { type: 'string' },
  },
});
if (values.source === undefined) {
  process.stderr.write('error: --source FILE is required: the GGUF that the README names\n');
  process.exit(2);
}
const numbers = (list) => list.split(',').map(Number);
const [prompts, peerBytes, drafts] = [values.prompts, values['peer-bytes'], values.drafts].map(numbers);
const [bytes, until, rounds, threads] = [values.bytes, values.until, values.rounds, values.threads].map(Number);
const weights = values.weights.split(',');
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const python = peersPython();
/** A token has about four bytes, so the token model generates about as much text. */
const tokens = Math.ceil(bytes / 4);

mkdirSync(values.work, { recursive: true });
const text = realText(Math.max(...prompts), values.text);
const textFile = join(values.work, 'text.txt');
writeFileSync(textFile, text);
const blt = values.model ?? (await untrainedBlt(values.work, values.source, textFile));
const source = await transformersSource(values.work, values.source);

/** Starts a process; `ask` throws if it ends without an answer. */
async function open(name, command, args) {
  const process_ = await openProcess(command, args.map(String), { threads });
  const failed = () => {
    throw new Error(`${name} ended before it answered`);
  };
  return {
    ask: async (what) => (await process_?.ask(JSON.stringify(what))) ?? failed(),
    close: async () => await process_?.close(),
  };
}
const ours = new Map();
for (const type of weights)
  ours.set(type, await open(`byteify, ${type}`, process.execPath, [here('generate/ours.mjs'), blt, threads, type]));
const peer = await open('transformers', python, [here('generate/peer.py'), blt, threads]);
const tokenModels = new Map();
for (const type of ['float32', 'bfloat16'])
  tokenModels.set(type, await open(`source, ${type}`, python, [here('generate/source.py'), source, threads, type]));

/** The contenders for a prompt: their descriptions, processes and requests. */
function contenders(prompt, i) {
  const ids = Array.from(encodeBytes(prompt));
  const write = (draft) => ({ do: 'write', draft, ids, bytes });
  return [
    ...weights.flatMap((type) =>
      drafts.map((draft) => ({ who: 'byteify', weights: type, draft, contender: ours.get(type), what: write(draft) })),
    ),
    { who: 'transformers', weights: 'float32', contender: peer, what: { do: 'write', ids, bytes: peerBytes[i] } },
    ...[...tokenModels].map(([type, contender]) => ({
      who: 'token model',
      weights: type,
      contender,
      what: { text: Buffer.from(prompt).toString('utf8'), tokens },
    })),
  ];
}

const readings = [];
const measureBandwidth = async () => {
  await pause();
  readings.push((await peer.ask({ do: 'bandwidth' })).bytes_per_second);
};

/** @returns the contenders with one answer per round. The first round compiles and allocates and is not counted. */
async function takeTurns(prompt, i) {
  const all = contenders(prompt, i).map((one) => ({ ...one, answers: [] }));
  for (const { who, contender, draft } of all)
    if (who === 'byteify') await contender.ask({ do: 'open', draft, expectedBytes: prompt.length + bytes });
  for (let round = 0; round <= rounds; round++) {
    for (const one of all) {
      await pause();
      const isFirst = round === 0;
      // A few bytes are enough to warm up transformers.
      const few = isFirst && one.who === 'transformers';
      const what = few ? { ...one.what, bytes: Math.min(2, one.what.bytes) } : one.what;
      const answer = await one.contender.ask(what);
      if (!isFirst) one.answers.push(answer);
    }
    await measureBandwidth();
  }
  return all;
}

function rowOf({ who, weights: type, draft, answers }, prompt, { peerIds, bytesPerToken }) {
  const pace = paceOf(answers);
  const { ids = [], sizes } = answers[0];
  const perToken = who === 'token model' ? bytesPerToken : 1;
  const row = {
    prompt: prompt.length,
    who,
    weights: type,
    written: sizes.reduce((sum, size) => sum + size, 0),
    prompt_ms: pace.prompt_ms,
    ms: pace.ms / perToken,
    bytes_per_second: pace.per_second * perToken,
  };
  if (who === 'token model') return { ...row, tokens_per_second: pace.per_second, bytes_per_token: perToken };
  if (who === 'transformers') return row;
  const { drafted, accepted, patches, finish } = answers[0];
  return {
    ...row,
    draft,
    // The first byte is counted with the prompt.
    bytes_per_step: (row.written - 1) / (sizes.length - 1),
    accepted_share: drafted === 0 ? null : accepted / drafted,
    bytes_per_patch: row.written / Math.max(1, patches),
    agreeing: agreeing(ids, peerIds),
    finish,
    text: Buffer.from(ids.map((id) => id - 4)).toString('utf8'),
  };
}

const turns = [];
for (const [i, length] of prompts.entries()) {
  const prompt = beginningOf(text, length);
  turns.push({ prompt, all: await takeTurns(prompt, i) });
}
const first = (all, name) => all.find(({ who }) => who === name).answers[0];
/** The longest prompt gives the best estimate of the bytes per token. */
const longest = turns.reduce((most, turn) => (turn.prompt.length > most.prompt.length ? turn : most));
const bytesPerToken = first(longest.all, 'token model').bytes_per_token;
const rows = turns.flatMap(({ prompt, all }) => {
  const { ids: peerIds } = first(all, 'transformers');
  return all.map((one) => rowOf(one, prompt, { peerIds, bytesPerToken }));
});
await peer.close();
for (const contender of tokenModels.values()) await contender.close();

/** The time per byte at the end of a long text: the longest prompt, continued up to `until` bytes unless the model ends it earlier. */
async function measureLongText(type) {
  const ids = Array.from(encodeBytes(beginningOf(text, Math.max(...prompts))));
  const contender = ours.get(type);
  await contender.ask({ do: 'open', draft: 0, expectedBytes: until });
  await pause();
  const { ms } = await contender.ask({ do: 'write', draft: 0, ids, bytes: until - ids.length + 1 });
  const last = ms.slice(1).slice(-bytes);
  const mean = last.reduce((sum, time) => sum + time, 0) / last.length;
  return { upTo: ids.length - 1 + ms.length, ms: median(last), mean_ms: mean };
}

const plain = rows.filter(({ draft }) => draft === 0);
const bandwidth = Math.max(...readings);
const flat = [];
const roof = [];
for (const type of weights) {
  const own = plain.filter((row) => row.weights === type);
  const last = await measureLongText(type);
  flat.push({
    weights: type,
    points: [
      ...own.map(({ prompt, ms, bytes_per_second: rate }) => ({ after: prompt, ms, mean_ms: 1000 / rate })),
      last,
    ],
  });
  const { byte, patch } = await ours.get(type).ask({ do: 'weights' });
  for (const { prompt, bytes_per_patch: perPatch, bytes_per_second: rate } of own) {
    const each = byte + patch / perPatch;
    roof.push({
      prompt,
      weights: type,
      byte_bytes: byte,
      patch_bytes: patch,
      bytes_per_new_byte: each,
      weight_bytes_per_second: each * rate,
    });
  }
  await ours.get(type).close();
}
const oneRow = JSON.parse(
  execFileSync(process.execPath, [here('generate/one-row.mjs'), String(threads)], { encoding: 'utf8' }),
);

const heading =
  values.model === undefined
    ? 'The BLT is not trained, so the lengths of its patches are arbitrary.'
    : 'The BLT is trained.';
const sections = [
  `${heading} ${threads} threads; medians of ${rounds} rounds in which the contenders take turns.`,
  speedTable(rows),
  textTable(rows),
  'Milliseconds per byte by the length of the text, median and mean (a byte that ends a patch costs more):',
  flatTable(flat),
  'Weights read per second, without caches, compared with the memory bandwidth of a sum in PyTorch:',
  roofTable(roof, bandwidth),
  'One row through 30 layers of the source’s matrices, compiled by XLA:',
  oneRowTable(oneRow),
].join('\n\n');
process.stdout.write(`${sections}\n`);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  const report = {
    command: 'npm run bench:generate',
    trained: values.model !== undefined,
    text_sha256: createHash('sha256').update(text).digest('hex'),
    threads,
    rounds,
    rows,
    flat,
    memory_bytes_per_second: bandwidth,
    roof,
    one_row: oneRow,
  };
  writeFileSync(join(values.out, 'generate.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(values.out, 'generate.md'), `${sections}\n`);
}
