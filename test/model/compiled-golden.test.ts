import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CompiledFunction,
  compile,
  crossEntropySum,
  signatureOf,
  startEngine,
  tf,
} from '../../src/engine/index.js';
import { type BltModel, bltForward, entropyOf, openBlt, patcherForward } from '../../src/model/index.js';
import { openSafetensorsFile, toFloat32 } from '../../src/safetensors/index.js';
import { goldenPath, maxDifference, plainCases, projectionCases } from '../support/golden.js';
import { type GoldenBatch, goldenBatch, namesOf, paramsOf } from '../support/golden-batch.js';
import { type Body, MODES, type Mode, relativeDifference, taken } from '../support/modes.js';

const LOGITS = 1e-4;
const GRADIENTS = 1e-3;
/** Gradients are about 1e-2; rounding errors are smaller than this. */
const NOTHING = 1e-3;
const VOCABULARY = 260;

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

interface Results {
  readonly logits: Float32Array;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** The loss of one text of a batch at a time, with its logits and gradients, in each run mode. */
interface Rig {
  readonly names: readonly string[];
  readonly golden: GoldenBatch;
  readonly texts: readonly (readonly number[])[];
  run(mode: Mode, text: number): Promise<Results>;
}

type Forward = (named: readonly string[], inputs: readonly tf.Tensor[], golden: GoldenBatch) => tf.Tensor;

/** @param forward computes logits [rows * length, 260] from the parameters followed by the batch's tensors */
function rig(model: BltModel, texts: readonly (readonly number[])[], names: readonly string[], forward: Forward): Rig {
  const golden = goldenBatch(model, texts);
  const { rows, length } = golden.batch;
  const body: Body = (...inputs) => {
    const [targets, weights] = inputs.slice(-2) as [tf.Tensor, tf.Tensor];
    const rest = inputs.slice(names.length, -2);
    let logits: tf.Tensor | undefined;
    const loss = (...values: tf.Tensor[]): tf.Scalar => {
      logits = tf.keep(forward(names, [...values, ...rest], golden));
      return crossEntropySum(logits, targets, weights) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)(inputs.slice(0, names.length));
    return [logits!, value, ...grads];
  };
  const targets = new Int32Array(rows * length);
  texts.forEach((text, row) => {
    targets.set(text.slice(1), row * length);
  });
  const params = names.map((name) => model.params.get(name)!);
  const inputsOf = (text: number) => {
    const weights = new Float32Array(rows * length);
    const count = texts[text]!.length - 1;
    weights.fill(1 / count, text * length, text * length + count);
    return [...params, ...golden.inputs.tensors, tf.tensor1d(targets, 'int32'), tf.tensor1d(weights)];
  };
  let compiled: CompiledFunction | undefined;
  const known = new Map<string, Results>();
  return {
    names,
    golden,
    texts,
    async run(mode, text) {
      const key = `${mode} ${text}`;
      if (!known.has(key)) {
        const inputs = inputsOf(text);
        compiled ??= compile(body, signatureOf(inputs));
        const out = mode === 'eager' ? tf.tidy(() => [...body(...inputs)]) : await compiled.call(inputs, mode);
        const [logits, loss, ...gradients] = taken(out);
        const named = new Map(names.map((name, i) => [name, gradients[i]!]));
        known.set(key, { logits: logits!, loss: loss![0]!, gradients: named });
        tf.dispose(inputs.slice(-2));
      }
      return known.get(key)!;
    },
  };
}

const bltOf =
  (model: BltModel): Forward =>
  (names, tensors, { inputs }) =>
    bltForward(paramsOf(names, tensors), model.config, inputs.batchOf(tensors.slice(names.length)));

const patcherOf =
  (model: BltModel): Forward =>
  (names, tensors, { inputs }) =>
    patcherForward(paramsOf(names, tensors), model.config.patcher, inputs.batchOf(tensors.slice(names.length)));

/** The logits of a text's positions, without padding. */
function ownLogits({ logits }: Results, { golden, texts }: Rig, text: number): Float32Array {
  const from = text * golden.batch.length * VOCABULARY;
  return logits.subarray(from, from + texts[text]!.length * VOCABULARY);
}

/** Expects every gradient to equal the eager one. */
async function expectEagerGradients(one: Rig, mode: Mode, text: number): Promise<void> {
  const [found, eager] = [await one.run(mode, text), await one.run('eager', text)];
  for (const [name, wanted] of eager.gradients) {
    expect(relativeDifference(found.gradients.get(name)!, wanted, NOTHING), name).toBeLessThan(GRADIENTS);
  }
}

describe('the plain golden model, compiled', () => {
  let model: BltModel;
  let whole: Rig;
  let patcher: Rig;
  let expected: (name: string) => Promise<Float32Array>;
  beforeAll(async () => {
    model = await openBlt(goldenPath('plain/blt'));
    const reader = await openSafetensorsFile(goldenPath('plain/blt-expected.safetensors'));
    expected = async (name) => toFloat32(await reader.read(name), reader.tensors.get(name)!.dtype);
    const texts = plainCases.map(({ input_ids }) => input_ids);
    whole = rig(model, texts, namesOf(model.config, false), bltOf(model));
    patcher = rig(model, texts, namesOf(model.config, true), patcherOf(model));
  });

  describe.each(MODES)('%s', (mode) => {
    it.each([0, 1, 2])('text %i: the logits and the loss equal transformers’', async (text) => {
      const found = await whole.run(mode, text);
      expect(maxDifference(ownLogits(found, whole, text), await expected(`${text}.logits`))).toBeLessThan(LOGITS);
      expect(Math.abs(found.loss - plainCases[text]!.loss)).toBeLessThan(LOGITS);
    });

    it.each([0, 1, 2])('text %i: the gradient of every parameter equals transformers’', async (text) => {
      const { gradients } = await whole.run(mode, text);
      const wanted = plainCases[text]!.grad_norms;
      expect([...gradients.keys()].sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, norm] of Object.entries(wanted)) {
        expect(Math.abs(Math.hypot(...gradients.get(name)!) - norm) / (norm + 1e-8), name).toBeLessThan(GRADIENTS);
      }
      const full = {
        q0: 'model.global_transformer.layers.0.self_attn.q_proj.weight',
        hash: 'model.encoder_hash_tok_embedding.weight',
        xattn: 'model.local_decoder.cross_attn_layers.0.k_proj.weight',
      };
      for (const [short, name] of Object.entries(full)) {
        const difference = relativeDifference(gradients.get(name)!, await expected(`${text}.grad.${short}`));
        expect(difference, name).toBeLessThan(GRADIENTS);
      }
    });

    it.each([0, 1, 2])('text %i: the patcher’s logits equal transformers’', async (text) => {
      const logits = ownLogits(await patcher.run(mode, text), patcher, text);
      expect(maxDifference(logits, await expected(`${text}.patcher_logits`))).toBeLessThan(LOGITS);
      const entropies = tf.tidy(() =>
        entropyOf(tf.tensor(logits, [logits.length / VOCABULARY, VOCABULARY])).dataSync(),
      );
      expect(maxDifference(entropies, await expected(`${text}.entropies`))).toBeLessThan(LOGITS);
    });
  });

  it.each(['graph', 'xla'] as const)('%s: gradients are the eager ones, element by element', async (mode) => {
    for (const text of [0, 1, 2]) {
      await expectEagerGradients(whole, mode, text);
      await expectEagerGradients(patcher, mode, text);
    }
  });
});

describe('the golden model with a projection, compiled', () => {
  let model: BltModel;
  let whole: Rig;
  let patcher: Rig;
  // A text of one position predicts nothing, so it has logits but no loss.
  const cases = projectionCases.filter(({ ids }) => ids.length > 1);
  const numbered = cases.map((golden, text) => ({ text, golden, length: golden.ids.length }));
  beforeAll(async () => {
    model = await openBlt(goldenPath('projection-gqa'));
    const texts = cases.map(({ ids }) => ids);
    whole = rig(model, texts, namesOf(model.config, false), bltOf(model));
    patcher = rig(model, texts, namesOf(model.config, true), patcherOf(model));
  });

  describe.each(MODES)('%s', (mode) => {
    it.each(numbered)('text %# of $length positions: the logits equal transformers’', async ({ text, golden }) => {
      const logits = ownLogits(await whole.run(mode, text), whole, text);
      expect(maxDifference(logits.subarray(-VOCABULARY), golden.logits_last)).toBeLessThan(LOGITS);
      const sums = golden.ids.map((_, position) => {
        const own = logits.subarray(position * VOCABULARY, (position + 1) * VOCABULARY);
        return own.reduce((sum, logit) => sum + logit, 0);
      });
      // A sum of 260 logits has 16 times the error of one.
      expect(maxDifference(sums, golden.logits_sum_per_pos)).toBeLessThan(16 * LOGITS);
    });

    it.each(numbered)('text %# of $length positions: the entropies equal transformers’', async ({ text, golden }) => {
      const logits = ownLogits(await patcher.run(mode, text), patcher, text);
      const entropies = tf.tidy(() =>
        entropyOf(tf.tensor(logits, [logits.length / VOCABULARY, VOCABULARY])).dataSync(),
      );
      expect(maxDifference(entropies, golden.entropies)).toBeLessThan(LOGITS);
    });
  });

  it.each(['graph', 'xla'] as const)('%s: gradients are the eager ones, element by element', async (mode) => {
    for (const { text } of numbered) {
      await expectEagerGradients(whole, mode, text);
      await expectEagerGradients(patcher, mode, text);
    }
  });

  it('the projection and every layer have a gradient', async () => {
    const { gradients } = await whole.run('xla', numbered.length - 1);
    expect(gradients.has('model.global_transformer.token_embedding_projection.weight')).toBe(true);
    for (const [name, values] of gradients) expect(Math.hypot(...values), name).toBeGreaterThan(NOTHING);
  });
});
