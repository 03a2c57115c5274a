/** @module Proves an export: reloads it and compares its logits with those of the checkpoint it was made from. */
import { bltTensors, encodeBytes } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { ByteifyError } from '../errors.js';
import {
  bltLogits,
  cutIntoPatches,
  disposeParams,
  loadParams,
  openBlt,
  type Params,
  type patchedBatch,
  readBltConfig,
  wholeRow,
} from '../model/index.js';
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

/**
 * @param from the checkpoint; @param exported the folder made of it; @param dtype what it was exported as: the checkpoint's weights are
 * rounded to it before they are compared, so that only the writing and reading is tested.
 * @throws ByteifyError when a logit differs by more than 1e-4.
 */
export async function selfCheck(from: string, exported: string, dtype: 'float32' | 'bfloat16'): Promise<SelfCheck> {
  const config = await readBltConfig(from);
  const rows = [wholeRow(encodeBytes(new TextEncoder().encode(TEXT)))];
  const logitsOf = (params: Params, batch: ReturnType<typeof patchedBatch>) =>
    tf.tidy(() => bltLogits(params, config, batch).dataSync() as Float32Array);

  const reader = await openCheckpoint(from);
  const names = bltTensors(config).map(({ name }) => name);
  const original = rounded(await loadParams(reader, names), dtype);
  await reader.close();
  const { batch } = cutIntoPatches(original, config, rows);
  const wanted = logitsOf(original, batch);
  disposeParams(original);

  const written = await openBlt(exported);
  const found = logitsOf(written.params, batch);
  written.dispose();
  const maxLogitDifference = wanted.reduce((worst, value, i) => Math.max(worst, Math.abs(value - found[i]!)), 0);
  if (!(maxLogitDifference <= TOLERANCE)) {
    throw new ByteifyError(
      `The export in ${exported} does not compute what its checkpoint does: a logit differs by ${maxLogitDifference}.`,
      {
        hint: 'Please report this; the checkpoint itself is untouched.',
      },
    );
  }
  return { maxLogitDifference, positions: rows[0]!.ids.length };
}
