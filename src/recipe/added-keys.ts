/** @module Keys that stages have gained. At their defaults they are left out of digests, so that a conversion that began without them can be resumed. */
import { isDeepStrictEqual } from 'node:util';
import type { RecipeStage, StageKind } from './schema.js';

/** The keys of each kind of stage, with the values that mean what their absence meant. */
const ADDED: { readonly [Kind in StageKind]?: Partial<Extract<RecipeStage, { kind: Kind }>> } = {
  'end-to-end': { losses: { cross_entropy: 1, prefix_kl: 0 }, source_states_cache_bytes: 4_000_000_000 },
};

/** A stage without those added keys that have no effect. */
export function withoutAddedKeys(stage: RecipeStage): Partial<RecipeStage> {
  const added: Readonly<Record<string, unknown>> = ADDED[stage.kind] ?? {};
  const isNew = ([key, value]: [string, unknown]) => !(key in added && isDeepStrictEqual(value, added[key]));
  return Object.fromEntries(Object.entries(stage).filter(isNew));
}
