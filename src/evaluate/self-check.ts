/** @module Verifies an export: reloads it and compares its logits with those of the checkpoint that was exported. */
import { isDeepStrictEqual } from 'node:util';
import { type BltConfig, bltTensors, encodeBytes, readBltConfig } from '../blt/index.js';
import { tf, valuesOf } from '../engine/index.js';
import { ByteifyError } from '../errors.js';
import {
  BLT_FIELDS,
  batchTensors,
  bltForward,
  cutIntoPatches,
  disposeParams,
  loadParams,
  openBlt,
  type Params,
} from '../model/index.js';
import { wholeRow } from '../patching/index.js';
import { fromFloat32, openCheckpoint, toFloat32 } from '../safetensors/index.js';

export interface SelfCheck {
  /** The largest absolute difference of a logit. */
  readonly maxLogitDifference: number;
  /** Number of positions compared, including BOS. */
  readonly positions: number;
}

/** Maximum difference of a logit. It is the tolerance between implementations: two runs of the same one agree far better in float32. */
const TOLERANCE = 1e-4;

/** Text with several scripts, code and digits, for patches of many kinds. */
const TEXT =
  'The latent global transformer reads patches, not bytes: naïve café, 東京, Привет!\nfor (let i = 0; i < 42; i++) {}';

/** The weights, rounded as the export stores them. */
function rounded(params: Params, dtype: 'float32' | 'bfloat16'): Params {
  if (dtype === 'float32') return params;
  return new Map(
    [...params].map(([name, tensor]) => {
      const values = toFloat32(fromFloat32(tensor.dataSync() as Float32Array, 'BF16'), 'BF16');
      const copy = tf.tensor(values, tensor.shape);
      tensor.dispose();
      return [name, copy];
    }),
  );
}

/** How a model segments the text, and its logits at every position. */
interface Output {
  readonly patchLengths: number[];
  readonly logits: Float32Array;
}

function outputOf(params: Params, config: BltConfig): Output {
  const { batch, patchLengths } = cutIntoPatches(params, config, [
    wholeRow(encodeBytes(new TextEncoder().encode(TEXT))),
  ]);
  const logits = valuesOf(() => bltForward(params, config, batchTensors(batch, BLT_FIELDS)));
  return { patchLengths: patchLengths.flat().flatMap((lengths) => Array.from(lengths)), logits };
}

async function expectedOutput(from: string, config: BltConfig, dtype: 'float32' | 'bfloat16'): Promise<Output> {
  const reader = await openCheckpoint(from);
  const names = bltTensors(config).map(({ name }) => name);
  const params = rounded(await loadParams(reader, names).finally(() => reader.close()), dtype);
  try {
    return outputOf(params, config);
  } finally {
    disposeParams(params);
  }
}

/** The first key of a config that differs in the other (such as `patching` or `global`), or null. */
function differingPart(a: BltConfig, b: BltConfig): string | null {
  const keys = Object.keys(a) as (keyof BltConfig)[];
  return keys.find((key) => !isDeepStrictEqual(a[key], b[key])) ?? null;
}

/**
 * Runs the export with its own config.json, patcher and threshold, and compares its output with the checkpoint's. The engine must be started.
 * @param from the checkpoint folder @param exported the folder of the export
 * @param dtype the type of the export's weights: the checkpoint's weights are rounded to it first, so that only writing and reading is tested
 * @throws ByteifyError if the configs describe different models, the patches differ, or a logit differs by more than 1e-4.
 */
export async function selfCheck(from: string, exported: string, dtype: 'float32' | 'bfloat16'): Promise<SelfCheck> {
  const config = await readBltConfig(from);
  const wanted = await expectedOutput(from, config, dtype);
  const written = await openBlt(exported);
  let found: Output;
  try {
    found = outputOf(written.params, written.config);
  } finally {
    written.dispose();
  }
  const fail = (how: string): never => {
    throw new ByteifyError(`The export in ${exported} does not compute what its checkpoint computes: ${how}.`, {
      hint: 'Please report this. The checkpoint itself was not changed.',
    });
  };
  if (found.patchLengths.join() !== wanted.patchLengths.join()) fail('it segments a text into different patches');
  const { logits } = found;
  const maxLogitDifference = wanted.logits.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - logits[i]!)),
    0,
  );
  if (!(maxLogitDifference <= TOLERANCE)) fail(`a logit differs by ${maxLogitDifference}`);
  // Compared last, because a difference in the output says more than one in the config.
  const part = differingPart(config, written.config);
  if (part !== null) fail(`"${part}" in its config.json differs`);
  return { maxLogitDifference, positions: wanted.logits.length / config.vocabSize };
}
