// Compares the golden models in float32, outside and inside traced functions, with PyTorch and transformers.
import { bltTensors } from '../../../dist/blt/index.js';
import { compile, crossEntropySum, signatureOf, startEngine, tf } from '../../../dist/engine/index.js';
import {
  BLT_FIELDS,
  batchTensors,
  bltForward,
  entropyOf,
  openBlt,
  PATCHER_FIELDS,
  patcherForward,
} from '../../../dist/model/index.js';
import { byteBatch, cutRows, wholeRow } from '../../../dist/patching/index.js';
import { maxDifference, relativeDifference, samePatches, worstOf } from '../differences.mjs';
import { goldenModels } from '../golden-cases.mjs';
import { judgeGolden } from '../verdict.mjs';

/** The values of a function of the parameters, computed in a mode. */
async function valuesOf(mode, params, fn) {
  const [names, inputs] = [[...params.keys()], [...params.values()]];
  const body = (...values) => fn(new Map(values.map((value, i) => [names[i], value])));
  if (mode === 'eager') return tf.tidy(() => body(...inputs).map((result) => result.dataSync()));
  const compiled = compile(body, signatureOf(inputs), mode);
  const results = await compiled.call(inputs);
  const values = results.map((result) => result.dataSync());
  tf.dispose(results);
  compiled.dispose();
  return values;
}

const bltLogits = (params, config, batch) => bltForward(params, config, batchTensors(batch, BLT_FIELDS));

/** A function that computes [logits, loss, a gradient for each parameter], or only [logits] if the loss is not known. */
function forwardAndBackward(config, batch, { ids, loss }) {
  if (loss === null) return (params) => [bltLogits(params, config, batch)];
  const targets = Int32Array.from([...ids.slice(1), 0]);
  const weights = new Float32Array(ids.length).fill(1 / (ids.length - 1));
  weights[ids.length - 1] = 0;
  return (params) => {
    const names = [...params.keys()];
    let logits = null;
    const lossOf = (...values) => {
      logits = tf.keep(bltLogits(new Map(values.map((value, i) => [names[i], value])), config, batch));
      return crossEntropySum(logits, tf.tensor1d(targets, 'int32'), tf.tensor1d(weights));
    };
    const { value, grads } = tf.valueAndGrads(lossOf)([...params.values()]);
    return [logits, value, ...grads];
  };
}

async function differencesOf(mode, { params, config }, golden) {
  const parts = new Map(bltTensors(config).map(({ name, part }) => [name, part]));
  const paramsOf = (isPatcher) =>
    new Map([...params].filter(([name]) => (parts.get(name) === 'patcher') === isPatcher));
  const row = wholeRow(golden.ids);
  const [entropies] = await valuesOf(mode, paramsOf(true), (patcher) => {
    const logits = patcherForward(patcher, config.patcher, batchTensors(byteBatch([row]), PATCHER_FIELDS));
    return [entropyOf(logits)];
  });
  const { batch, patchLengths } = cutRows([row], entropies, config);
  const trained = paramsOf(false);
  const [logits, loss, ...gradients] = await valuesOf(mode, trained, forwardAndBackward(config, batch, golden));
  const named = new Map([...trained.keys()].map((name, i) => [name, gradients[i]]));
  const gradientDifferences = [
    ...Object.entries(golden.gradientNorms).map(([name, norm]) =>
      relativeDifference([Math.hypot(...(named.get(name) ?? [Number.NaN]))], [norm]),
    ),
    ...Object.entries(golden.gradients).map(([name, wanted]) => relativeDifference(named.get(name) ?? [], wanted)),
  ];
  return {
    patchesIdentical: samePatches([...patchLengths[0][0]], golden.patchLengths),
    entropies: maxDifference(entropies, golden.entropies),
    logits: maxDifference(logits.subarray(logits.length - golden.logits.length), golden.logits),
    loss: golden.loss === null ? 0 : Math.abs(loss[0] - golden.loss),
    gradients: worstOf(gradientDifferences),
  };
}

/** @param {{ device: 'cuda' | 'cpu-xla' }} options @returns {Promise<import('../verdict.mjs').Result[]>} */
export async function check({ device }) {
  await startEngine({ device });
  const models = await goldenModels();
  const modes = [];
  for (const mode of ['eager', 'xla']) {
    const found = [];
    for (const { folder, cases } of models) {
      const model = await openBlt(folder);
      for (const golden of cases) found.push(await differencesOf(mode, model, golden));
    }
    modes.push({
      mode,
      patchesIdentical: found.every(({ patchesIdentical }) => patchesIdentical),
      entropies: worstOf(found.map(({ entropies }) => entropies)),
      logits: worstOf(found.map(({ logits }) => logits)),
      loss: worstOf(found.map(({ loss }) => loss)),
      gradients: worstOf(found.map(({ gradients }) => gradients)),
    });
  }
  return [judgeGolden(modes)];
}
