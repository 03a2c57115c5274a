/** @module The token-end head of an aligned patcher: one more output row on the hidden states that the next-byte head reads. It is never exported. */
import type { BltConfig, TensorSpec } from '../../blt/index.js';

export const TOKEN_END_HEAD = 'model.patcher.token_end.weight';

/** The head's tensor [1, hidden]. */
export function tokenEndHead({ patcher }: BltConfig): TensorSpec {
  const { hiddenSize } = patcher;
  return { name: TOKEN_END_HEAD, shape: [1, hiddenSize], part: 'patcher', role: 'linear', initStd: hiddenSize ** -0.5 };
}
