/**
 * @module Recipes in the form whose digest tells whether they have changed: as they would have been written first, so that an earlier version's
 * conversions can be resumed and its models are recognised.
 */
import { isDeepStrictEqual } from 'node:util';
import { underFirstNames } from './renamed-keys.js';
import type { RecipeStage, StageKind, StageOf } from './schema.js';

/** The kind of stage that has every key which stages have gained. */
type Keys = StageOf<'end-to-end'>;

/** A key that stages have gained, and the value that means what its absence meant. */
type AddedKey = {
  [Key in keyof Keys]-?: {
    /** The kind of stage that has gained the key; by default all that have it. */
    readonly kind?: StageKind;
    readonly key: Key;
    readonly value: Keys[Key];
    /** Keys that were added with it and have no effect at that value. */
    readonly idle?: readonly (keyof Keys)[];
  };
}[keyof Keys];

const ADDED: readonly AddedKey[] = [
  { key: 'optimizer', value: 'adamw', idle: ['muon_learning_rate'] },
  { key: 'ngram_dropout', value: 0 },
  { kind: 'end-to-end', key: 'losses', value: { cross_entropy: 1, prefix_kl: 0 } },
  { kind: 'end-to-end', key: 'source_states_cache_bytes', value: 4_000_000_000 },
];

/** A stage without those added keys that have no effect. */
function withoutAddedKeys(stage: RecipeStage): object {
  const values: Readonly<Record<string, unknown>> = stage;
  const leftOut: string[] = ADDED.filter(
    ({ kind = stage.kind, key, value }) => kind === stage.kind && isDeepStrictEqual(values[key], value),
  ).flatMap(({ key, idle = [] }) => [key, ...idle]);
  return Object.fromEntries(Object.entries(stage).filter(([key]) => !leftOut.includes(key)));
}

/** Part of a recipe, in the form whose digest is compared with that of an earlier run. */
export function forDigest(part: Readonly<Record<string, unknown>> & { stages?: readonly RecipeStage[] }): unknown {
  return underFirstNames(part.stages === undefined ? part : { ...part, stages: part.stages.map(withoutAddedKeys) });
}
