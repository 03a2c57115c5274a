/** @module Proves an export: reloads it and compares its logits with those of the checkpoint it was made from. */
import { isDeepStrictEqual } from 'node:util';
import { type BltConfig, bltTensors, encodeBytes, readBltConfig } from '../blt/index.js';
import { tf } from '../engine/index.js';
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
  /** Largest absolute difference of a logit. */
  readonly maxLogitDifference: number;
  /** Positions compared, BOS included. */
  readonly positions: number;
}

/** fp32 logits of two runs of one implementation agree far better; this is the contract with other implementations. */
const TOLERANCE = 1e-4;

/** Mixed scripts, code and digits, so that patches of many kinds occur. */
const TEXT =
  'The latent global transformer reads patches, not bytes: naïve café, 東京, Привет!\nfor (let i = 0; i < 42; i++) {}';

/** Weights as the export stores them. */
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

/** How a model cuts the text, and its logits of every position. */
interface Answer {
  readonly patchLengths: number[];
  readonly logits: Float32Array;
}

function answer(params: Params, config: BltConfig): Answer {
  const { batch, patchLengths } = cutIntoPatches(params, config, [
    wholeRow(encodeBytes(new TextEncoder().encode(TEXT))),
  ]);
  const logits = tf.tidy(() => bltForward(params, config, batchTensors(batch, BLT_FIELDS)).dataSync() as Float32Array);
  return { patchLengths: patchLengths.flat().flatMap((lengths) => Array.from(lengths)), logits };
}

async function wantedAnswer(from: string, config: BltConfig, dtype: 'float32' | 'bfloat16'): Promise<Answer> {
  const reader = await openCheckpoint(from);
  const names = bltTensors(config).map(({ name }) => name);
  const params = rounded(await loadParams(reader, names).finally(() => reader.close()), dtype);
  try {
    return answer(params, config);
  } finally {
    disposeParams(params);
  }
}

/** The first part of a config that is not as in the other: `patching`, `global`. */
function differingPart(a: BltConfig, b: BltConfig): string | null {
  const keys = Object.keys(a) as (keyof BltConfig)[];
  return keys.find((key) => !isDeepStrictEqual(a[key], b[key])) ?? null;
}

/**
 * Runs the export as its own config.json says, patcher and threshold included: nothing is taken from the checkpoint but the answer.
 * @param from the checkpoint; @param exported the folder made of it; @param dtype what it was exported as: the checkpoint's weights are
 * rounded to it before they are compared, so that only the writing and reading is tested.
 * @throws ByteifyError when the config means another model, the text is cut elsewhere, or a logit differs by more than 1e-4.
 */
export async function selfCheck(from: string, exported: string, dtype: 'float32' | 'bfloat16'): Promise<SelfCheck> {
  const config = await readBltConfig(from);
  const wanted = await wantedAnswer(from, config, dtype);
  const written = await openBlt(exported);
  let found: Answer;
  try {
    found = answer(written.params, written.config);
  } finally {
    written.dispose();
  }
  const fail = (how: string): never => {
    throw new ByteifyError(`The export in ${exported} does not compute what its checkpoint does: ${how}.`, {
      hint: 'Please report this; the checkpoint itself is untouched.',
    });
  };
  if (found.patchLengths.join() !== wanted.patchLengths.join()) fail('it cuts a text into other patches');
  const { logits } = found;
  const maxLogitDifference = wanted.logits.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - logits[i]!)),
    0,
  );
  if (!(maxLogitDifference <= TOLERANCE)) fail(`a logit differs by ${maxLogitDifference}`);
  // Last, so that what can be seen in the results is named by them.
  const part = differingPart(config, written.config);
  if (part !== null) fail(`its config.json has another ${part}`);
  return { maxLogitDifference, positions: wanted.logits.length / config.vocabSize };
}
