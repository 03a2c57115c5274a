/** @module What Muon moves and what its steps cost; src/finetune/muon.ts is the algorithm. */
import type { TensorSpec } from './tensors.js';

/** Newton-Schulz steps of an update. */
export const MUON_STEPS = 5;

/** The matrices of layers; embeddings, norms and heads are not for it (Jordan et al. 2024). */
export const movedByMuon = ({ name, role }: TensorSpec): boolean => role === 'linear' && /layers\.\d+\./.test(name);

/**
 * FLOPs of an optimizer step beyond AdamW's, the matrix products alone. With r the smaller side of a matrix and c the larger, a Newton-Schulz step has
 * two products of 2·r·r·c and one of 2·r·r·r.
 */
export function muonFlops(specs: readonly TensorSpec[]): number {
  return specs.filter(movedByMuon).reduce((sum, { shape }) => {
    const [small, large] = [Math.min(...shape), Math.max(...shape)];
    return sum + MUON_STEPS * 2 * small ** 2 * (2 * large + small);
  }, 0);
}
