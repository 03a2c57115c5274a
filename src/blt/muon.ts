/** @module Which tensors the Muon optimizer trains, and what its steps cost. The algorithm is in src/finetune/optimizers/muon.ts. */
import type { BltConfig } from './config.js';
import { type StageShape, stageRuns, trainedParts } from './stage-kinds.js';
import { bltTensors, type TensorSpec } from './tensors.js';

/** `muon` leaves embeddings, heads and norms to AdamW. */
export type Optimizer = 'adamw' | 'muon';

/** Newton-Schulz steps per update. */
export const MUON_STEPS = 5;

/** Matrices that map to outputs: the next byte, and the end of a token. */
const HEADS = ['lm_head.weight', 'token_end.weight'] as const;

/** Whether Muon trains a tensor: it is meant for matrices between hidden states, not for embeddings, norms and heads (Jordan et al. 2024). */
export const trainedByMuon = ({ name, role }: TensorSpec): boolean =>
  role === 'linear' && !HEADS.some((head) => name.endsWith(head));

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

/** What Muon trains in a stage. */
export interface MuonShare {
  /** Parameters that Muon trains, each with one moment. */
  readonly parameters: number;
  /** FLOPs of its products in one optimizer step. */
  readonly flopsPerStep: number;
}

/** Muon's share of a stage's training: zeros with AdamW. LoRA's adapters are never Muon's. */
export function muonShare(config: BltConfig, stage: StageShape, optimizer: Optimizer): MuonShare {
  const parts = trainedParts(stageRuns(stage));
  const specs =
    optimizer === 'muon' ? bltTensors(config).filter(({ part, unused }) => !unused && parts.includes(part)) : [];
  const parameters = specs
    .filter(trainedByMuon)
    .reduce((sum, { shape }) => sum + shape.reduce((product, extent) => product * extent, 1), 0);
  return { parameters, flopsPerStep: muonFlops(specs) };
}
