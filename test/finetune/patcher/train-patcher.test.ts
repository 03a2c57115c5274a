import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, BOS, BYTE_OFFSET, bltTensors, EOS, readBltConfig } from '../../../src/blt/index.js';
import {
  allTexts,
  type ByteStore,
  buildStore,
  createPacker,
  domainOf,
  evaluationTexts,
  openStore,
  textDomain,
} from '../../../src/data/index.js';
import { type Engine, startEngine, tf } from '../../../src/engine/index.js';
import { calibrate, checkpointName, trainPatcher } from '../../../src/finetune/index.js';
import { lossAndGradients } from '../../../src/finetune/loop/gradients.js';
import { alignedPatcherObjective } from '../../../src/finetune/patcher/aligned-objective.js';
import { boundaryTargets } from '../../../src/finetune/patcher/boundary-targets.js';
import { locateModel } from '../../../src/import/index.js';
import {
  batchTensors,
  disposeParams,
  loadPatcher,
  PATCHER_FIELDS,
  type Params,
  patcherOutput,
  TOKEN_END_HEAD,
  tokenEndHead,
} from '../../../src/model/index.js';
import {
  boundaryLabels,
  byteBatch,
  learningFields,
  readAlignment,
  textBatch,
  textCuts,
  tokenEndFields,
  tokenEnds,
  withDocuments,
} from '../../../src/patching/index.js';
import { type Recipe, recipeSchema } from '../../../src/recipe/index.js';
import { openCheckpoint } from '../../../src/safetensors/index.js';
import { loadTokenizer } from '../../../src/tokenizer/index.js';
import { OWN_TEXT } from '../../support/conversions.js';
import { goldenPath } from '../../support/golden.js';

const SOURCE = (await locateModel('builtin:tiny-llama')).path;
const tokenizer = await loadTokenizer(SOURCE);
const INIT = goldenPath('plain/blt');
const ALIGNED = {
  labels: 'hybrid' as const,
  endConfidence: 0.9,
  boundaryWeight: 1,
  boundaryTemperature: 0.25,
  tokenizerFolder: SOURCE,
};
const LENGTH = 128;

const folder = mkdtempSync(join(tmpdir(), 'byteify-aligned-'));
let engine: Engine;
let store: ByteStore;
let heldOut: Uint8Array[];
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  const out = join(folder, 'data');
  const split = { validationFraction: 0.1, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain(OWN_TEXT, 1024)], out, ...split });
  store = await openStore(out);
  heldOut = allTexts(await evaluationTexts(store.validation, { maxBytes: 6000 }));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const recipeWith = (patcher: object): Recipe =>
  recipeSchema.parse({
    name: 'test',
    patcher: { batch_bytes: 2048, sequence_length: LENGTH, learning_rate: 1e-2, warmup_steps: 5, ...patcher },
    stages: [{ kind: 'end-to-end', steps: 1 }],
    evaluate: { validation_bytes: 6000 },
    hardware: { mode: 'graph' },
  });

const trained = (name: string, patcher: object, options: { signal?: AbortSignal; onStep?: () => void } = {}) =>
  trainPatcher({
    init: INIT,
    out: join(folder, name),
    tokenizerFolder: SOURCE,
    recipe: recipeWith(patcher),
    store,
    settings: name,
    signal: options.signal ?? new AbortController().signal,
    ...(options.onStep && { onStep: options.onStep }),
  });

/** The F1 score of a trained patcher's cuts on held-out text. */
async function cutF1(name: string): Promise<number> {
  const dir = join(folder, name);
  const config = await readBltConfig(dir);
  const params = await loadPatcher(dir, config);
  const alignment = await readAlignment(dir);
  let [made, right, wanted] = [0, 0, 0];
  for (const text of heldOut) {
    const output = patcherOutput(params, config, textBatch(text));
    const cuts = textCuts(output, config.patching.threshold, alignment);
    const { ends } = tokenEnds(text, false, tokenizer);
    cuts.subarray(0, -1).forEach((cut, i) => {
      wanted += ends[i]!;
      if (cut === 0) return;
      made++;
      right += ends[i - (cut === 2 ? 1 : 0)] ?? 0;
    });
  }
  disposeParams(params);
  return (2 * right) / (made + wanted);
}

describe('alignedPatcherObjective', () => {
  let config: BltConfig;
  let params: Params;
  beforeAll(async () => {
    config = await readBltConfig(INIT);
    const head = tokenEndHead(config);
    params = new Map([
      ...(await loadPatcher(INIT, config)),
      [head.name, tf.mul(tf.truncatedNormal([...head.shape], 0, 1, 'float32', 7), 0.1)],
    ]);
  });
  afterAll(() => disposeParams(params));

  const FIELDS = [...PATCHER_FIELDS, 'targets', 'weights', 'tokenEnds', 'tokenEndWeights'] as const;
  const batchOf = async (count: number) => {
    const rows = await createPacker({ split: store.train, rowBytes: LENGTH, seed: 2 }).next(count);
    const arrays = {
      ...withDocuments(byteBatch(rows)),
      ...learningFields(rows),
      ...tokenEndFields(rows, tokenizer),
    };
    return batchTensors(arrays, FIELDS);
  };
  const tensorsOf = (batch: Awaited<ReturnType<typeof batchOf>>) => FIELDS.flatMap((field) => batch[field] ?? []);

  it.each(['end', 'start', 'hybrid'] as const)('has the same labels as boundaryLabels: %s', async (labels) => {
    const rows = 6;
    const batch = await batchOf(rows);
    const alignment = { labels, endConfidence: 0.6 };
    const logits = tf.mul(tf.truncatedNormal([rows * LENGTH], 0, 1, 'float32', 3), 2) as tf.Tensor;
    const targets = boundaryTargets(alignment, batch, logits);
    const [found, weights] = [targets.labels.dataSync(), targets.weights.dataSync()];
    const [ids, ends, known] = [batch.ids.dataSync(), batch.tokenEnds.dataSync(), batch.tokenEndWeights.dataSync()];
    const probabilities = tf.sigmoid(logits).dataSync() as Float32Array;
    let checked = 0;
    for (let start = 0; start < ids.length; start++) {
      if (ids[start] !== BOS) continue;
      let end = start + 1;
      while (end % LENGTH !== 0 && ids[end]! > EOS) end++;
      const wanted = boundaryLabels(
        alignment,
        {
          bytes: Uint8Array.from(ids.subarray(start + 1, end), (id) => id - BYTE_OFFSET),
          ends: Uint8Array.from(ends.subarray(start + 1, end)),
        },
        probabilities.subarray(start + 1, end),
      );
      for (let p = start + 1; p < end; p++) {
        expect(weights[p], 'weight').toBe(known[p]! * (labels === 'end' || p === start + 1 ? 1 : known[p - 1]!));
        if (weights[p] === 1) expect(found[p]).toBe(wanted[p - start - 1]);
        checked += weights[p]!;
      }
      expect(weights[start], 'BOS').toBe(0);
    }
    expect(checked).toBeGreaterThan(500);
    tf.dispose([...tensorsOf(batch), logits, targets.labels, targets.weights]);
  });

  it.each(['end', 'start', 'hybrid'] as const)(
    'has the same labels for characters of several bytes, and none inside them: %s',
    (labels) => {
      const bytes = new TextEncoder().encode('aé€😀b😀€éa, naïve 東京 '.repeat(12));
      const random = (seed: number) =>
        tf.tidy(() => tf.randomUniform([bytes.length], 0, 1, 'float32', seed).dataSync());
      const ends = Uint8Array.from(random(1), (value) => (value < 0.4 ? 1 : 0));
      const logits = Float32Array.from(random(2), (value) => 4 * value - 2);
      const alignment = { labels, endConfidence: 0.6 };
      // BOS, the text, and the first byte of a character that the row's end has cut.
      const length = bytes.length + 2;
      const row = (values: ArrayLike<number>, last = 0) => tf.tensor1d([0, ...Array.from(values), last]);
      const ids = tf.tensor1d([BOS, ...Array.from(bytes, (byte) => byte + BYTE_OFFSET), 0xc3 + BYTE_OFFSET], 'int32');
      const fields = { ids, tokenEnds: row(ends), tokenEndWeights: row(new Array(bytes.length).fill(1)) };
      const endLogits = row(logits);
      const targets = boundaryTargets(alignment, { rows: 1, length, patches: 1, tokens: 0, ...fields }, endLogits);
      const probabilities = tf.tidy(() => tf.sigmoid(endLogits).dataSync().slice(1, -1)) as Float32Array;
      const wanted = boundaryLabels(alignment, { bytes, ends }, probabilities);
      expect([...targets.labels.dataSync().slice(1, -1)]).toEqual([...wanted]);
      expect([...targets.weights.dataSync()]).toEqual([0, ...new Array(bytes.length).fill(1), 0]);
      for (const [i, label] of wanted.entries())
        if (((bytes[i + 1] ?? 0) & 0xc0) === 0x80) expect(label, 'inside a character').toBe(0);
      expect(wanted.some((label, i) => label === 1 && bytes[i]! >= 0x80)).toBe(true);
      tf.dispose([...Object.values(fields), endLogits, targets.labels, targets.weights]);
    },
  );

  it('returns the weighted sum of its terms, and trains the token-end head and all layers below it', async () => {
    const batch = await batchOf(2);
    const objective = alignedPatcherObjective(config, { ...ALIGNED, boundaryWeight: 2 });
    expect(objective.parts.length).toBe(3);
    const [next, ends, cuts, value] = tf.tidy(() => {
      const { value, parts } = objective.loss(params, batch, {});
      return [...parts, value].map((scalar) => scalar.dataSync()[0]!);
    }) as [number, number, number, number];
    expect(value / (next + ends + 2 * cuts)).toBeCloseTo(1, 5);
    const { gradients, loss } = lossAndGradients(params, (values) => objective.loss(values, batch, {}).value);
    [...params.keys()].forEach((name, i) => {
      const largest = Math.max(...gradients[i]!.dataSync().map(Math.abs));
      expect(largest, name).toBeGreaterThan(0);
    });
    tf.dispose([loss, ...gradients, ...tensorsOf(batch)]);
  });

  it('passes no gradient through the labels of the boundary loss', async () => {
    const batch = await batchOf(1);
    const known = batch.tokenEndWeights;
    // Without known token ends, the head only affects the labels, so its gradient must be zero.
    const objective = alignedPatcherObjective(config, ALIGNED);
    const without = { ...batch, tokenEndWeights: tf.zerosLike(known) };
    const { gradients, loss } = lossAndGradients(params, (values) => objective.loss(values, without, {}).value);
    const at = [...params.keys()].indexOf(TOKEN_END_HEAD);
    expect(Math.max(...gradients[at]!.dataSync().map(Math.abs))).toBe(0);
    tf.dispose([loss, ...gradients, ...tensorsOf(without), known]);
  });
});

describe('training an aligned patcher', () => {
  const steps = 80;

  it('finds token ends better than plain entropy with as many cuts', async () => {
    const before = engine.liveHandles();
    await trained('aligned', { kind: 'aligned', steps });
    expect(engine.liveHandles(), 'handles leaked').toBe(before);
    const bytesPerToken =
      heldOut.reduce((sum, { length }) => sum + length, 0) /
      heldOut.reduce((sum, text) => sum + tokenizer.encode(new TextDecoder().decode(text)).length, 0);
    await trained('entropy', { kind: 'entropy', steps, target_bytes_per_patch: bytesPerToken });
    const [aligned, entropy] = [await cutF1('aligned'), await cutF1('entropy')];
    expect(aligned).toBeGreaterThan(entropy + 0.1);
  });

  it('stores the token-end head in the patcher’s folder only, with the settings of its labels', async () => {
    const dir = join(folder, 'aligned');
    expect(await readAlignment(dir)).toMatchObject({ labels: 'hybrid', endConfidence: 0.9 });
    expect(await readAlignment(INIT)).toBeNull();
    const saved = await openCheckpoint(dir);
    const config = await readBltConfig(dir);
    expect(saved.tensors.get(TOKEN_END_HEAD)?.shape).toEqual([1, config.patcher.hiddenSize]);
    expect(bltTensors(config).map(({ name }) => name)).not.toContain(TOKEN_END_HEAD);
    await saved.close();
    const broken = join(folder, 'broken');
    await cp(dir, broken, { recursive: true });
    rmSync(join(broken, 'aligned.json'));
    await cp(join(dir, 'config.json'), join(broken, 'aligned.json'));
    await expect(readAlignment(broken)).rejects.toThrow(/not what an aligned patcher leaves/);
  });

  it.each(['end', 'start', 'hybrid'] as const)(
    'calibrates the threshold to as many cuts as the labels have: %s',
    async (labels) => {
      const dir = join(folder, 'aligned');
      const config = await readBltConfig(dir);
      const params = await loadPatcher(dir, config);
      const alignment = { labels, endConfidence: 0.5 };
      const { threshold, bytesPerPatch } = calibrate(params, config, heldOut, { alignment, tokenizer });
      const wanted = heldOut.reduce((sum, text) => {
        const { endProbabilities } = patcherOutput(params, config, textBatch(text));
        const { ends } = tokenEnds(text, false, tokenizer);
        const all = boundaryLabels(alignment, { bytes: text, ends }, endProbabilities!.subarray(1)).subarray(0, -1);
        return sum + all.reduce((count, label) => count + label, 0);
      }, 0);
      const cuts = heldOut
        .flatMap((text) => [
          ...textCuts(patcherOutput(params, config, textBatch(text)), threshold, null).subarray(0, -1),
        ])
        .filter((cut) => cut > 0).length;
      // Equal texts have equal entropies, which no threshold separates.
      const entropies = heldOut
        .flatMap((text) => [...patcherOutput(params, config, textBatch(text)).entropies.subarray(1, text.length)])
        .sort((a, b) => b - a);
      const tied = entropies.filter((entropy) => entropy === entropies[wanted - 1]).length;
      expect(Math.abs(cuts - wanted)).toBeLessThan(tied);
      const bytes = heldOut.reduce((sum, { length }) => sum + length, 0);
      expect(bytesPerPatch).toBeCloseTo(bytes / (cuts + heldOut.length), 9);
      expect(calibrate(params, config, heldOut, 5).bytesPerPatch).toBeCloseTo(5, 1);
      disposeParams(params);
    },
  );

  it('gives causal cuts: a changed byte does not affect earlier cuts', async () => {
    const dir = join(folder, 'aligned');
    const config = await readBltConfig(dir);
    const params = await loadPatcher(dir, config);
    const alignment = await readAlignment(dir);
    const cutsOf = (text: Uint8Array) =>
      textCuts(patcherOutput(params, config, textBatch(text)), config.patching.threshold, alignment);
    const text = heldOut[0]!.slice(0, 200);
    const cuts = cutsOf(text);
    for (const at of [20, 77, 150]) {
      const other = text.slice();
      other[at] = other[at] === 0x78 ? 0x79 : 0x78;
      expect([...cutsOf(other).subarray(0, at)]).toEqual([...cuts.subarray(0, at)]);
      expect([...cutsOf(text.slice(0, at))]).toEqual([...cuts.subarray(0, at)]);
    }
    disposeParams(params);
  });

  it.each(['adamw', 'muon'])('resumes after a stop with identical weights: %s', async (optimizer) => {
    const patcher = { kind: 'aligned', steps: 6, optimizer };
    const [whole, stopped] = [`whole-${optimizer}`, `stopped-${optimizer}`];
    await trained(whole, patcher);
    const controller = new AbortController();
    let taken = 0;
    const onStep = () => ++taken === 3 && controller.abort(new Error('stop'));
    await expect(trained(stopped, patcher, { signal: controller.signal, onStep } as never)).rejects.toThrow('stop');
    const saved = await openCheckpoint(join(folder, stopped, 'run', checkpointName(3)));
    expect(saved.tensors.has(TOKEN_END_HEAD), 'a checkpoint’s model does not contain the head').toBe(false);
    await saved.close();
    await trained(stopped, patcher);
    const weights = (name: string) => readFile(join(folder, name, 'model.safetensors'));
    expect(Buffer.compare(await weights(stopped), await weights(whole))).toBe(0);
  });

  it('refuses to run without a source', async () => {
    const options = { init: INIT, out: join(folder, 'none'), tokenizerFolder: null, settings: '' };
    const recipe = recipeWith({ kind: 'aligned', steps: 1 });
    const signal = new AbortController().signal;
    await expect(trainPatcher({ ...options, recipe, store, signal })).rejects.toThrow(/has no source/);
  });
});

describe('training an entropy patcher', () => {
  it('lowers the loss, calibrates the threshold on held-out text, and saves the patcher with it', async () => {
    const patcher = { kind: 'entropy', steps: 6, target_bytes_per_patch: 3, learning_rate: 3e-3, warmup_steps: 1 };
    const report = await trained('calibrated', patcher);
    expect(report.bytesPerPatch).toBeCloseTo(3, 1);
    const dir = join(folder, 'calibrated');
    const config = await readBltConfig(dir);
    expect(config.patching.threshold).toBe(report.threshold);
    const params = await loadPatcher(dir, config);
    const onTrainingText = allTexts(await evaluationTexts(store.train, { maxBytes: 6000 }));
    expect(calibrate(params, config, heldOut, 3).threshold).toBe(report.threshold);
    expect(calibrate(params, config, onTrainingText, 3).threshold).not.toBe(report.threshold);
    disposeParams(params);
    const saved = await openCheckpoint(dir);
    expect([...saved.tensors.keys()].every((name) => name.startsWith('model.patcher.'))).toBe(true);
    await saved.close();
    const lines = (await readFile(join(dir, 'run/metrics.jsonl'), 'utf8')).trim().split('\n');
    const evaluations = lines.flatMap((line) => JSON.parse(line).validation_bits_per_byte ?? []);
    expect(evaluations.at(-1)).toBeLessThan(evaluations[0]);
  });
});

it('is calibrated on the held-out text of the domain that the recipe names', async () => {
  const digits = join(folder, 'digits.jsonl');
  // A sequence without repetition, of few different bytes: its entropies are lower than those of prose.
  const lines = Array.from({ length: 200 }, (_, i) =>
    JSON.stringify({ text: `${7 ** (i % 20)}${i * 7919} `.repeat(12) }),
  );
  await writeFile(digits, lines.join('\n'));
  const out = join(folder, 'two-domains');
  const domain = (name: string, paths: string[]) => ({ ...textDomain(paths, 1024), name });
  const domains = [domain('prose', OWN_TEXT), domain('digits', [digits])];
  await buildStore({ domains, out, validationFraction: 0.1, seed: 1, textKey: 'text' });
  const both = await openStore(out);
  const meanOf = async (name: string, patcher: object) => {
    const settings = { steps: 4, target_bytes_per_patch: 3, ...patcher };
    const options = {
      init: INIT,
      out: join(folder, name),
      tokenizerFolder: null,
      recipe: recipeWith(settings),
      store: both,
    };
    await trainPatcher({ ...options, settings: name, signal: new AbortController().signal });
    const config = await readBltConfig(join(folder, name));
    const params = await loadPatcher(join(folder, name), config);
    const texts = allTexts(await evaluationTexts(domainOf(both.validation, 'digits'), { maxBytes: 6000 }));
    const { bytesPerPatch } = measureCuts(params, config, texts);
    disposeParams(params);
    return bytesPerPatch;
  };
  const named = await meanOf('named', { calibration_domain: 'digits' });
  const all = await meanOf('all', {});
  // Entropies that are equal end patches together, so not every mean can be met.
  expect(Math.abs(named - 3)).toBeLessThan(0.2);
  expect(Math.abs(all - 3)).toBeGreaterThan(0.3);
  await expect(meanOf('missing', { calibration_domain: 'images' })).rejects.toThrow('The data have no domain "images"');
  await both.close();
});

/** The mean patch size of texts at the config's threshold. */
function measureCuts(params: Params, config: BltConfig, texts: readonly Uint8Array[]): { bytesPerPatch: number } {
  let [bytes, patches] = [0, 0];
  for (const text of texts) {
    const cuts = textCuts(patcherOutput(params, config, textBatch(text)), config.patching.threshold, null);
    bytes += text.length;
    patches += cuts.reduce((sum, cut) => sum + Number(cut), 0);
  }
  return { bytesPerPatch: bytes / patches };
}
