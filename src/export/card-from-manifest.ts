/** @module The model card's facts, taken from the manifest of a conversion. */

import { basename } from 'node:path';
import { type Manifest, STAGE_NAMES } from '../conversion/index.js';
import { toolVersion } from '../version.js';
import type { CardInputs } from './model-card.js';

/**
 * @param manifest null for a plain checkpoint folder: then only the name is known
 * @param options.languages ISO 639-1 codes
 */
export function cardFromManifest(
  manifest: Manifest | null,
  options: { name: string; languages?: readonly string[] },
): CardInputs {
  const model = manifest?.model ?? null;
  const revision = manifest?.revision ?? null;
  // Only a hub model has a commit; a local path can look like an id.
  const baseModel = model !== null && revision !== null ? (model.split('@', 1)[0] ?? model) : null;
  return {
    name: options.name,
    source: baseModel ?? (model === null ? null : basename(model)),
    baseModel,
    revision,
    license: manifest?.license ?? null,
    languages: options.languages ?? [],
    toolVersion: manifest?.byteify ?? toolVersion(),
    recipe: manifest?.recipe ?? null,
    stages: STAGE_NAMES.flatMap((name) => {
      const stage = manifest?.stages[name];
      // A stage that is still going on, the export itself, has nothing to tell yet.
      if (stage?.state !== 'done') return [];
      return [{ name, seconds: stage.seconds, files: stage.files, metrics: stage.metrics }];
    }),
  };
}
