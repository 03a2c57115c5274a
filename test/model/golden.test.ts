import { beforeAll, describe, expect, it } from 'vitest';
import { bltTensors } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { type BltModel, cutIntoPatches, nextByteLoss, openBlt } from '../../src/model/index.js';
import { wholeRow } from '../../src/patching/index.js';
import { openSafetensorsFile, toFloat32 } from '../../src/safetensors/index.js';
import { bltLogits } from '../support/blt-logits.js';
import { goldenPath, maxDifference, plainCases, projectionCases } from '../support/golden.js';

const LOGITS = 1e-4;
const GRADIENTS = 1e-3;

/** Canonical lengths in transformers' form: they sum to N, and the last may be 0. */
function transformersForm(lengths: Int32Array): number[] {
  return [...lengths.slice(0, -1), lengths.at(-1)! - 1];
}

/** transformers' lengths without the padding of -1 and 0 at the end. */
function trimmed(lengths: readonly number[]): number[] {
  const end = lengths.findIndex((length) => length < 0);
  return end < 0 ? [...lengths] : lengths.slice(0, end);
}

async function readExpected(): Promise<(name: string) => Promise<Float32Array>> {
  const reader = await openSafetensorsFile(goldenPath('plain/blt-expected.safetensors'));
  return async (name) => toFloat32(await reader.read(name), reader.tensors.get(name)!.dtype);
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

describe('the plain golden model (k = 2, no projection, GQA, window 16)', () => {
  let model: BltModel;
  let expected: Awaited<ReturnType<typeof readExpected>>;
  beforeAll(async () => {
    model = await openBlt(goldenPath('plain/blt'));
    expected = await readExpected();
  });

  it.each(plainCases.map((golden, i) => ({ i, golden })))(
    'has transformers’ entropies, patches and logits in case $i',
    async ({ i, golden }) => {
      const ids = Int32Array.from(golden.input_ids);
      const { batch, patchLengths, entropies } = cutIntoPatches(model.params, model.config, [wholeRow(ids)]);
      expect(maxDifference(entropies, await expected(`${i}.entropies`))).toBeLessThan(LOGITS);
      expect(transformersForm(patchLengths[0]![0]!)).toEqual(trimmed(golden.patch_lengths));
      const logits = tf.tidy(() => bltLogits(model.params, model.config, batch).dataSync());
      expect(maxDifference(logits, await expected(`${i}.logits`))).toBeLessThan(LOGITS);
    },
  );

  it.each(plainCases.map((golden, i) => ({ i, golden })))(
    'has transformers’ loss and gradient of every parameter in case $i',
    async ({ i, golden }) => {
      const ids = Int32Array.from(golden.input_ids);
      const { batch } = cutIntoPatches(model.params, model.config, [wholeRow(ids)]);
      const weights = new Float32Array(ids.length).fill(1);
      weights[ids.length - 1] = 0;
      const targets = { ids: Int32Array.from([...ids.slice(1), 0]), weights };
      const names = bltTensors(model.config).flatMap(({ name, part }) => (part === 'patcher' ? [] : [name]));
      const lossOf = (...values: tf.Tensor[]) => {
        const params = new Map([
          ...model.params,
          ...values.map((value, at): [string, tf.Tensor] => [names[at]!, value]),
        ]);
        return nextByteLoss(bltLogits(params, model.config, batch), targets, ids.length - 1);
      };
      const { value, grads } = tf.valueAndGrads(lossOf)(names.map((name) => model.params.get(name)!));
      expect(value.dataSync()[0]).toBeCloseTo(golden.loss, 4);
      const norms = Object.fromEntries(names.map((name, at) => [name, Math.hypot(...grads[at]!.dataSync())]));
      expect(Object.keys(norms).sort()).toEqual(Object.keys(golden.grad_norms).sort());
      for (const [name, wanted] of Object.entries(golden.grad_norms)) {
        expect(Math.abs(norms[name]! - wanted) / (wanted + 1e-8), name).toBeLessThan(GRADIENTS);
      }
      const whole = {
        q0: 'model.global_transformer.layers.0.self_attn.q_proj.weight',
        hash: 'model.encoder_hash_tok_embedding.weight',
        xattn: 'model.local_decoder.cross_attn_layers.0.k_proj.weight',
      };
      for (const [short, name] of Object.entries(whole)) {
        const wanted = await expected(`${i}.grad.${short}`);
        const scale = Math.max(...wanted.map(Math.abs));
        expect(maxDifference(grads[names.indexOf(name)]!.dataSync(), wanted) / scale, name).toBeLessThan(GRADIENTS);
      }
      tf.dispose([value, grads]);
    },
  );

  it('computes the rows of a right-padded batch as it computes them alone', () => {
    const length = Math.max(...plainCases.map(({ input_ids }) => input_ids.length)) + 3;
    const rows = plainCases.map(({ input_ids }) => {
      const ids = new Int32Array(length);
      ids.set(input_ids);
      return { ids, documents: [{ start: 0, end: input_ids.length }] };
    });
    const together = tf.tidy(() =>
      bltLogits(model.params, model.config, cutIntoPatches(model.params, model.config, rows).batch).dataSync(),
    );
    plainCases.forEach(({ input_ids }, row) => {
      const ids = Int32Array.from(input_ids);
      const alone = tf.tidy(() =>
        bltLogits(
          model.params,
          model.config,
          cutIntoPatches(model.params, model.config, [wholeRow(ids)]).batch,
        ).dataSync(),
      );
      const part = together.subarray(row * length * 260, (row * length + ids.length) * 260);
      expect(maxDifference(part, alone)).toBeLessThan(LOGITS);
    });
  });

  it('computes documents packed into one row as it computes them alone', () => {
    const texts = plainCases.map(({ input_ids }) => Int32Array.from(input_ids)).filter((ids) => ids.length > 1);
    const ids = Int32Array.from(texts.flatMap((text) => [...text]));
    const ends = texts.map((_, i) => texts.slice(0, i + 1).reduce((sum, text) => sum + text.length, 0));
    const documents = texts.map((text, i) => ({ start: ends[i]! - text.length, end: ends[i]! }));
    const packed = cutIntoPatches(model.params, model.config, [{ ids, documents }]);
    const together = tf.tidy(() => bltLogits(model.params, model.config, packed.batch).dataSync());
    documents.forEach(({ start, end }) => {
      const row = wholeRow(ids.slice(start, end));
      const alone = tf.tidy(() =>
        bltLogits(model.params, model.config, cutIntoPatches(model.params, model.config, [row]).batch).dataSync(),
      );
      expect(maxDifference(together.subarray(start * 260, end * 260), alone)).toBeLessThan(LOGITS);
    });
  });

  it('is causal: the logits of every prefix are those of the whole text', () => {
    const ids = Int32Array.from(plainCases[0]!.input_ids);
    const logitsOf = (part: Int32Array) =>
      tf.tidy(() =>
        bltLogits(
          model.params,
          model.config,
          cutIntoPatches(model.params, model.config, [wholeRow(part)]).batch,
        ).dataSync(),
      );
    const whole = logitsOf(ids);
    for (let length = 1; length < ids.length; length++) {
      const prefix = logitsOf(ids.slice(0, length));
      expect(
        maxDifference(prefix.subarray((length - 1) * 260), whole.subarray((length - 1) * 260, length * 260)),
        `${length}`,
      ).toBeLessThan(LOGITS);
    }
  });

  it('splits long patches in the canonical form, and is still causal', () => {
    const config = { ...model.config, patching: { ...model.config.patching, maxPatchLength: 3 } };
    const ids = Int32Array.from(plainCases[0]!.input_ids);
    const logitsOf = (part: Int32Array) => {
      const { batch, patchLengths } = cutIntoPatches(model.params, config, [wholeRow(part)]);
      expect(Math.max(...patchLengths[0]![0]!)).toBeLessThanOrEqual(3);
      return tf.tidy(() => bltLogits(model.params, config, batch).dataSync());
    };
    const whole = logitsOf(ids);
    const prefix = logitsOf(ids.slice(0, 20));
    expect(maxDifference(prefix, whole.subarray(0, prefix.length))).toBeLessThan(LOGITS);
  });
});

describe('the golden model with a projection (k = 4, two hash functions)', () => {
  let model: BltModel;
  beforeAll(async () => {
    model = await openBlt(goldenPath('projection-gqa'));
  });

  it.each(projectionCases.map((golden, i) => ({ i, golden })))('has transformers’ results in case $i', ({ golden }) => {
    const ids = Int32Array.from(golden.ids);
    const { batch, patchLengths, entropies } = cutIntoPatches(model.params, model.config, [wholeRow(ids)]);
    expect(maxDifference(entropies, golden.entropies)).toBeLessThan(LOGITS);
    expect(transformersForm(patchLengths[0]![0]!)).toEqual(trimmed(golden.hf_patch_lengths));
    const logits = tf.tidy(() => bltLogits(model.params, model.config, batch).dataSync());
    expect(maxDifference(logits.subarray((ids.length - 1) * 260), golden.logits_last)).toBeLessThan(LOGITS);
  });
});
