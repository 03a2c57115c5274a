import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBytes } from '../../src/blt/index.js';
import { type Engine, startEngine, tf } from '../../src/engine/index.js';
import { partLosses } from '../../src/evaluate/part-losses.js';
import {
  BLT_FIELDS,
  batchTensors,
  bltDecode,
  bltEncode,
  createPatcherRunner,
  ENCODER_FIELDS,
  llamaHidden,
  llamaLayers,
  openLlamaModel,
  type Params,
  patchVectors,
  sourceEmbedding,
} from '../../src/model/index.js';
import { requireFields, textBatch } from '../../src/patching/index.js';
import { packedRow } from '../support/packed-row.js';
import { openSourceReading, type SourceReading } from '../support/source-reading.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-parts-'));
const WIDTH = 128;
let engine: Engine;
let reading: SourceReading;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  reading = await openSourceReading(folder);
});
afterAll(async () => {
  await reading.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the losses of parts', () => {
  const texts = ['the big-word,lumps:fjk()[]', 'export const width = 128;\n'].map((text) =>
    new TextEncoder().encode(text),
  );
  const ask = (params: Params, some: readonly Uint8Array[] = texts) =>
    partLosses({
      config: reading.tiny.config,
      params,
      reader: reading.source.reader,
      alignment: reading.source.alignment,
      patcher: createPatcherRunner(reading.tiny.config, reading.variables, 'eager'),
      variance: reading.source.variance,
      texts: some,
    });

  /** All weights; the caller disposes them. */
  const readParams = () => new Map([...reading.variables].map(([name, variable]) => [name, variable.read()]));

  /** The patcher's entropies on a text: entry i is that of the prediction of byte i. */
  const ownCuts = (text: Uint8Array) => {
    const made = createPatcherRunner(reading.tiny.config, reading.variables, 'eager');
    return { entropies: made.run(textBatch(text)).then(({ entropies }) => entropies), dispose: made.dispose };
  };

  /** Bits per byte of the decoder on a text, with given states of its patches. */
  const decoderBitsWith = async (states: tf.Tensor, text: Uint8Array): Promise<number> => {
    const ids = [...encodeBytes(text)];
    const [read] = await reading.batches({
      rows: { kind: 'given', rows: [packedRow([ids])] },
      ...{ targets: ['encoder'], rowsPerStep: 1, microBatchRows: 1, count: 1 },
    });
    return tf.tidy(() => {
      const params = readParams();
      const batch = batchTensors(requireFields(read!.batches[0]!, BLT_FIELDS), BLT_FIELDS);
      const { bytes } = bltEncode(params, reading.tiny.config, batch);
      const logits = bltDecode(params, reading.tiny.config, batch, { bytes, patches: states });
      const rows = tf.logSoftmax(logits).arraySync() as number[][];
      return ids.slice(1).reduce((sum, id, i) => sum - rows[i]![id]! / Math.LN2, 0) / text.length;
    });
  };

  it('is poor with fresh weights, and leaks no tensor', async () => {
    const before = engine.liveHandles();
    const params = readParams();
    const found = await ask(params);
    tf.dispose([...params.values()]);
    expect(engine.liveHandles()).toBe(before);
    expect(found.encoderBitsPerByte).toBeGreaterThan(found.sourceBitsPerByte + 0.2);
    expect(found.decoderBitsPerByte).toBeGreaterThan(found.sourceBitsPerByte + 0.2);
    expect(found.relativeError).toBeGreaterThan(0.5);
    expect(found.sourceBitsPerByte).toBeGreaterThan(0.5);
    expect(found.sourceBitsPerByte).toBeLessThan(8);
  });

  it('compares the source, marginalised over its tokens, with the decoder on the same states', async () => {
    const text = texts[1]!;
    const params = readParams();
    const { entropies, dispose } = ownCuts(text);
    const { patching } = reading.tiny.config;
    // Without an alignment no cut is late: each chunk has exactly the bytes of its patch.
    const found = await partLosses({
      ...{
        config: reading.tiny.config,
        params,
        texts: [text],
        variance: reading.source.variance,
        reader: reading.source.reader,
        alignment: null,
        patcher: createPatcherRunner(reading.tiny.config, reading.variables, 'eager'),
      },
    });
    tf.dispose([...params.values()]);
    const nats = await entropies;
    dispose();
    const { vocabulary, tokensOf, special } = reading.source.reader;
    const starts = [...text.keys()].filter((byte) => byte === 0 || nats[byte]! > patching.threshold);
    const chunks = starts.map((start, i) => tokensOf(text.slice(start, starts[i + 1] ?? text.length)));
    const tokens = chunks.flat();
    expect(starts.length).toBeGreaterThan(2);
    expect(tokens.length).toBeGreaterThan(starts.length);

    const llama = await openLlamaModel(reading.tiny.source);
    const ids = Int32Array.from([special.start, ...tokens.map(({ rank }) => rank)], (rank) => vocabulary.order[rank]!);
    const probabilities = tf.tidy(() => {
      const { hidden, head } = llamaHidden(llama, ids);
      return tf.softmax(tf.matMul(hidden as tf.Tensor2D, head as tf.Tensor2D, false, true)).arraySync() as number[][];
    });
    let read = 0;
    const patchStates = chunks.map(({ length }) => {
      read += length;
      return read;
    });
    const states = tf.tidy(() => {
      const embeddings = tf.gather(llama.params.get('model.embed_tokens.weight')!, tf.tensor1d(ids, 'int32'));
      // The first patch is the BOS, as is the first token.
      return tf.gather(llamaLayers(llama, embeddings), tf.tensor1d([0, ...patchStates], 'int32'));
    });
    const decoderBits = await decoderBitsWith(states, text);
    states.dispose();
    llama.dispose();
    expect(found.decoderBitsPerByte).toBeCloseTo(decoderBits, 4);
    const spelled = Array.from({ length: vocabulary.ordinary }, (_, rank) => Buffer.from(vocabulary.bytesAt(rank)));
    /** The probability of all tokens that begin with `prefix` and have more bytes than `longer`. */
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

  it('is perfect if the source’s embeddings are the encoder’s own output', async () => {
    const text = texts[0]!;
    const params = readParams();
    const [batch] = await reading.batches({
      rows: { kind: 'given', rows: [packedRow([[...encodeBytes(text)]])] },
      ...{ targets: ['encoder'], rowsPerStep: 1, microBatchRows: 1, count: 1 },
    });
    const arrays = requireFields(batch!.batches[0]!, ['patchToken', 'patchWeight']);
    const table = sourceEmbedding(params).dataSync().slice();
    const taken = new Set<number>();
    tf.tidy(() => {
      const { patches } = bltEncode(params, reading.tiny.config, batchTensors(arrays, ENCODER_FIELDS));
      const vectors = patchVectors(params, patches).dataSync();
      arrays.patchWeight.forEach((weight, patch) => {
        const token = arrays.patchToken[patch]!;
        // A token that occurred twice would need two vectors; in this text none does.
        if (weight > 0) expect(taken.has(token), `token ${token}`).toBe(false);
        if (weight === 0) return;
        taken.add(token);
        table.set(vectors.subarray(patch * WIDTH, (patch + 1) * WIDTH), token * WIDTH);
      });
    });
    expect(taken.size).toBeGreaterThan(5);
    // The head does not change.
    params.set('source.lm_head.weight', sourceEmbedding(params));
    params.set('source.embed_tokens.weight', tf.tensor2d(table, [1024, WIDTH]));
    const found = await ask(params, [text]);
    tf.dispose([...params.values()]);
    expect(found.relativeError).toBeLessThan(1e-6);
    expect(found.sourceBitsPerByte).not.toBeCloseTo(8, 1);
    expect(found.encoderBitsPerByte).toBeCloseTo(found.sourceBitsPerByte, 5);
  });
});
