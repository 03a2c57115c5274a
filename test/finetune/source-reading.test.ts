import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors, encodeBytes } from '../../src/blt/index.js';
import { type ByteStore, PACKER_START } from '../../src/data/index.js';
import { type Engine, gatherRows, startEngine, tf, type Variable } from '../../src/engine/index.js';
import { encoderFidelity } from '../../src/evaluate/encoder-fidelity.js';
import { createBatchSource, type StepBatch } from '../../src/finetune/batches/batch-source.js';
import { createSourceStates } from '../../src/finetune/teacher/source-states.js';
import { openTeacher, type Teacher } from '../../src/finetune/teacher/teacher.js';
import {
  batchTensors,
  bltEncode,
  llamaHidden,
  llamaLayers,
  loadVariable,
  openLlamaModel,
  type Params,
  param,
  patchedOf,
  patchVectors,
  TOKEN_END_HEAD,
} from '../../src/model/index.js';
import { createPatcherRunner } from '../../src/model/patcher/runner.js';
import { sourceEmbedding } from '../../src/model/source-tensors.js';
import { patcherArrays } from '../../src/patching/batch-arrays.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { overlay } from '../../src/safetensors/overlay.js';
import { type Distillation, openDistillation, openText } from '../support/distillation.js';
import { relativeDifference } from '../support/modes.js';
import { packedRow } from './samples.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-source-'));
const LENGTH = 128;
const ROWS = 2;
const WIDTH = 128;
let engine: Engine;
let store: ByteStore;
let tiny: Distillation;
let source: Teacher;
let held: Map<string, Variable>;
let asked: Omit<Awaited<ReturnType<Teacher['training']>>, 'tensors'>;
let batches: StepBatch[];

beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  tiny = await openDistillation(folder, store, { crossAttnK: 1, hiddenSize: 160 });
  source = await openTeacher(tiny.source, tiny.from[0]!);
  const { tensors, ...rest } = await source.training(['embedding', 'head']);
  asked = rest;
  held = new Map(tensors);
  const reader = overlay(await Promise.all(tiny.from.map(openCheckpoint)));
  for (const name of [...bltTensors(tiny.config).map(({ name }) => name), TOKEN_END_HEAD])
    held.set(name, await loadVariable(reader, name));
  await reader.close();
  const entropies = createPatcherRunner(tiny.config, held, 'graph');
  const made = createBatchSource({
    rows: { kind: 'packed', files: store.train.files, rowBytes: LENGTH, seed: 1, state: PACKER_START, repeat: true },
    config: tiny.config,
    patched: true,
    source: { ...asked, targets: ['states'] },
    weights: 'weights',
    trainsTable: false,
    rowsPerStep: 3,
    microBatchRows: ROWS,
    room: { patches: 0, tokens: 0 },
    entropies: entropies.of,
  });
  batches = [await made.next(), await made.next()];
  await made.close();
  entropies.dispose();
}, 120_000);
afterAll(async () => {
  for (const variable of held.values()) variable.dispose();
  await source.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (name: string | null, maxBytes = 1e9) =>
  createSourceStates({
    config: tiny.config,
    fixed: held,
    rows: ROWS,
    mode: 'graph',
    cache: name === null ? null : { path: join(folder, name), maxBytes },
  });

const statesOf = ({ batches }: StepBatch) => batches.map(({ sourceStates }) => sourceStates!.values as Float32Array);

/** The states of a batch's real tokens: what lies in the room beside them is read by nobody. */
const readStates = (batch: StepBatch) =>
  statesOf(batch).flatMap((values, i) => {
    const { numbers, tokens } = batch.rows[i]!;
    const room = values.length / WIDTH / ROWS;
    return numbers.flatMap((number, row) =>
      number < 0 ? [] : [values.slice(row * room * WIDTH, (row * room + tokens[row]!) * WIDTH)],
    );
  });

describe('the source’s states', () => {
  it('are those of the source itself, document by document', async () => {
    const llama = await openLlamaModel(tiny.source);
    const states = open(null);
    const added = await states.add(batches[0]!);
    expect(added.computedShare).toBe(1);
    const { order } = source.reader.vocabulary;
    let documentsSeen = 0;
    added.batches.forEach((arrays, micro) => {
      const ids = batches[0]!.batches[micro]!.sourceIds!.values;
      const documents = batches[0]!.batches[micro]!.sourceDocuments!.values;
      const [rows, room] = batches[0]!.batches[micro]!.sourceDocuments!.shape as [number, number];
      for (let row = 0; row < rows; row++) {
        const count = added.rows[micro]!.tokens[row]!;
        for (let from = row * room; from < row * room + count; ) {
          let to = from + 1;
          while (to < row * room + count && documents[to] === documents[from]) to++;
          const sourceIds = Int32Array.from(ids.slice(from, to), (rank) => order[rank]!);
          const wanted = tf.tidy(() => {
            const embedded = gatherRows(
              param(llama.params, 'model.embed_tokens.weight'),
              tf.tensor1d(sourceIds, 'int32'),
            );
            return llamaLayers(llama, embedded).dataSync() as Float32Array;
          });
          const found = (arrays.sourceStates!.values as Float32Array).subarray(from * WIDTH, to * WIDTH);
          expect(relativeDifference(found, wanted)).toBeLessThan(1e-3);
          documentsSeen++;
          from = to;
        }
      }
    });
    expect(documentsSeen).toBeGreaterThan(2);
    await states.close();
    llama.dispose();
  });

  it('are the same bit for bit when they come from where they are kept, which goes with the run', async () => {
    const before = engine.liveHandles();
    const states = open('kept.bin');
    const first = await states.add(batches[0]!);
    const again = await states.add(batches[0]!);
    expect([first.computedShare, again.computedShare]).toEqual([1, 0]);
    expect(readStates(again)).toEqual(readStates(first));
    expect(existsSync(join(folder, 'kept.bin'))).toBe(true);
    await states.close();
    expect(existsSync(join(folder, 'kept.bin'))).toBe(false);
    expect(engine.liveHandles()).toBe(before);
  });

  it('take no more disk than they may; the others are computed', async () => {
    const rowBytes = batches[0]!.rows.flatMap(({ tokens }) => tokens).map((tokens) => tokens * WIDTH * 2);
    // Room for the two rows of the first micro-batch.
    const maxBytes = rowBytes[0]! + rowBytes[1]!;
    const states = open('few.bin', maxBytes);
    const [first, second] = [await states.add(batches[0]!), await states.add(batches[1]!)];
    expect([first.computedShare, second.computedShare]).toEqual([1, 1]);
    const again = await states.add(batches[0]!);
    expect(again.computedShare).toBeCloseTo(1 / 3, 9);
    expect(readStates(again)).toEqual(readStates(first));
    expect((await stat(join(folder, 'few.bin'))).size).toBe(maxBytes);
    await states.close();
  });
});

describe('how well an encoder speaks to the source', () => {
  const texts = ['the big-word,lumps:fjk()[]', 'export const width = 128;\n'].map((text) =>
    new TextEncoder().encode(text),
  );
  const ask = (params: Params, some: readonly Uint8Array[] = texts) =>
    encoderFidelity({
      config: tiny.config,
      params,
      reader: source.reader,
      alignment: source.alignment,
      patcher: createPatcherRunner(tiny.config, held, 'eager'),
      variance: source.variance,
      texts: some,
    });

  /** The patcher's entropies of a text: entry i is of the prediction of byte i. */
  const ownCuts = (text: Uint8Array) => {
    const made = createPatcherRunner(tiny.config, held, 'eager');
    const row = packedRow([[...encodeBytes(text)]]);
    return { entropies: made.of(patcherArrays([row])).then(({ entropies }) => entropies), dispose: made.dispose };
  };

  it('is far from the source with fresh weights, and costs nothing but its own handles', async () => {
    const before = engine.liveHandles();
    const params: Params = new Map([...held].map(([name, variable]) => [name, variable.read()]));
    const found = await ask(params);
    tf.dispose([...params.values()]);
    expect(engine.liveHandles()).toBe(before);
    expect(found.bitsPerByte).toBeGreaterThan(found.sourceBitsPerByte + 0.2);
    expect(found.relativeError).toBeGreaterThan(0.5);
    expect(found.sourceBitsPerByte).toBeGreaterThan(0.5);
    expect(found.sourceBitsPerByte).toBeLessThan(8);
  });

  it('compares with what the source itself gives to the bytes, its tokens summed up', async () => {
    const text = texts[1]!;
    const params: Params = new Map([...held].map(([name, variable]) => [name, variable.read()]));
    const { entropies, dispose } = ownCuts(text);
    const { patching } = tiny.config;
    // Nobody's cuts are late here: patches are chunks as they are.
    const found = await encoderFidelity({
      ...{
        config: tiny.config,
        params,
        texts: [text],
        variance: source.variance,
        reader: source.reader,
        alignment: null,
        patcher: createPatcherRunner(tiny.config, held, 'eager'),
      },
    });
    tf.dispose([...params.values()]);
    const nats = await entropies;
    dispose();
    const { vocabulary, tokensOf, special } = source.reader;
    const starts = [...text.keys()].filter((byte) => byte === 0 || nats[byte]! > patching.threshold);
    const tokens = starts.flatMap((start, i) => tokensOf(text.slice(start, starts[i + 1] ?? text.length)));
    expect(starts.length).toBeGreaterThan(2);
    expect(tokens.length).toBeGreaterThan(starts.length);

    const llama = await openLlamaModel(tiny.source);
    const ids = Int32Array.from([special.start, ...tokens.map(({ rank }) => rank)], (rank) => vocabulary.order[rank]!);
    const probabilities = tf.tidy(() => {
      const { hidden, head } = llamaHidden(llama, ids);
      return tf.softmax(tf.matMul(hidden as tf.Tensor2D, head as tf.Tensor2D, false, true)).arraySync() as number[][];
    });
    llama.dispose();
    const spelled = Array.from({ length: vocabulary.ordinary }, (_, rank) => Buffer.from(vocabulary.bytesAt(rank)));
    /** Of all tokens that begin so and have more bytes than `longer`. */
    const massOf = (state: number, prefix: Buffer, longer: number) =>
      spelled.reduce((sum, bytes, rank) => {
        const isOne = bytes.length > longer && bytes.subarray(0, prefix.length).equals(prefix);
        return isOne ? sum + probabilities[state]![vocabulary.order[rank]!]! : sum;
      }, 0);
    let bits = 0;
    tokens.forEach(({ rank }, state) => {
      const bytes = spelled[rank]!;
      for (let within = 0; within < bytes.length; within++) {
        const all = massOf(state, bytes.subarray(0, within), within);
        bits -= Math.log2(massOf(state, bytes.subarray(0, within + 1), within) / all);
      }
    });
    expect(found.sourceBitsPerByte).toBeCloseTo(bits / text.length, 4);
  });

  it('is the source’s own bits where the embeddings are what the encoder gives', async () => {
    const text = texts[0]!;
    const params = new Map([...held].map(([name, variable]) => [name, variable.read()]));
    const shape = { rows: 1, length: text.length + 1 };
    const entropies = createPatcherRunner(tiny.config, held, 'eager');
    const made = createBatchSource({
      ...{ config: tiny.config, patched: true, weights: 'weights', trainsTable: false, rowsPerStep: 1 },
      rows: { kind: 'given', rows: [packedRow([[...encodeBytes(text)]])] },
      source: { ...asked, targets: ['encoder'] },
      microBatchRows: 1,
      room: { patches: 0, tokens: 0 },
      entropies: entropies.of,
    });
    const [arrays] = (await made.next()).batches;
    await made.close();
    entropies.dispose();
    const table = sourceEmbedding(params).dataSync().slice();
    const taken = new Set<number>();
    tf.tidy(() => {
      const { patches } = bltEncode(params, tiny.config, patchedOf(batchTensors(arrays!), shape));
      const vectors = patchVectors(params, patches).dataSync();
      arrays!.patchWeight!.values.forEach((weight, patch) => {
        const token = arrays!.patchToken!.values[patch]!;
        // A token that came twice would be given two vectors: no character of the text does.
        if (weight > 0) expect(taken.has(token), `token ${token}`).toBe(false);
        if (weight === 0) return;
        taken.add(token);
        table.set(vectors.subarray(patch * WIDTH, (patch + 1) * WIDTH), token * WIDTH);
      });
    });
    expect(taken.size).toBeGreaterThan(5);
    // The head stays as it was.
    params.set('source.lm_head.weight', sourceEmbedding(params));
    params.set('source.embed_tokens.weight', tf.tensor2d(table, [1024, WIDTH]));
    const found = await ask(params, [text]);
    tf.dispose([...params.values()]);
    expect(found.relativeError).toBeLessThan(1e-6);
    expect(found.sourceBitsPerByte).not.toBeCloseTo(8, 1);
    expect(found.bitsPerByte).toBeCloseTo(found.sourceBitsPerByte, 5);
  });
});
