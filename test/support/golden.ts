/** Reference vectors made with PyTorch and transformers (test/fixtures/golden/README.md). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function goldenPath(path: string): string {
  return fileURLToPath(new URL(`../fixtures/golden/${path}`, import.meta.url));
}

export interface PlainCase {
  readonly text: string;
  readonly input_ids: number[];
  readonly patch_lengths: number[];
  readonly loss: number;
  readonly grad_norms: Record<string, number>;
  readonly greedy_12_from_first_12: unknown;
}

export interface ProjectionCase {
  readonly ids: number[];
  readonly entropies: number[];
  readonly hf_patch_lengths: number[];
  readonly logits_last: number[];
  readonly logits_sum_per_pos: number[];
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(goldenPath(path), 'utf8')) as T;
}

export const plainCases = readJson<PlainCase[]>('plain/blt-cases.json');
export const projectionCases = readJson<ProjectionCase[]>('projection-gqa/cases.json');

export function maxDifference(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let worst = found.length === wanted.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < wanted.length; i++) worst = Math.max(worst, Math.abs(found[i]! - wanted[i]!));
  return worst;
}
