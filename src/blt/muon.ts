/** @module Which tensors the Muon optimizer trains, and what its steps cost. The algorithm is in src/finetune/optimizers/muon.ts. */
import type { TensorSpec } from './tensors.js';

/** Newton-Schulz steps per update. */
export const MUON_STEPS = 5;

/** Whether Muon trains a tensor: it is meant for the matrices of layers, not for embeddings, norms and heads (Jordan et al. 2024). */
export const trainedByMuon = ({ name, role }: TensorSpec): boolean => role === 'linear' && /layers\.\d+\./.test(name);

/**
 * FLOPs of an optimizer step beyond AdamW's, counting only matrix products. With r the smaller dimension of a matrix and c the larger,
 * a Newton-Schulz step has two products of 2·r·r·c and one of 2·r·r·r.
 */
export function muonFlops(specs: readonly TensorSpec[]): number {
  return specs.filter(trainedByMuon).reduce((sum, { shape }) => {
    const [small, large] = [Math.min(...shape), Math.max(...shape)];
    return sum + MUON_STEPS * 2 * small ** 2 * (2 * large + small);
  }, 0);
}
