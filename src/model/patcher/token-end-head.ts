/** @module The head of an aligned patcher that tells where tokens end: one row on what its next-byte head reads. Never exported. */
import type { BltConfig, TensorSpec } from '../../blt/index.js';

export const TOKEN_END_HEAD = 'model.patcher.token_end.weight';

/** [1, hidden]. */
export function tokenEndHead({ patcher }: BltConfig): TensorSpec {
  const { hiddenSize } = patcher;
  return { name: TOKEN_END_HEAD, shape: [1, hiddenSize], part: 'patcher', role: 'linear', initStd: hiddenSize ** -0.5 };
}
