/** @module The `provenance.json` of an export: everything needed to reproduce the model, and nothing about the machine that made it. */
import { z } from 'zod';
import { type Manifest, STAGE_NAMES } from '../conversion/index.js';
import { digestOf, parseWritten } from '../fs/index.js';
// Imported directly, since the folder's index loads the hub's client.
import { PROVENANCE_NAME } from '../hub/publish/origin.js';
import { type DataSource, dataSource, forDigest, type Recipe } from '../recipe/index.js';
import { toolVersion } from '../version.js';

export { PROVENANCE_NAME };

export const RECIPE_NAME = 'recipe.yaml';

/** A training in another program, by a script that byteify handed over. */
const trainedElsewhere = z.strictObject({
  /** The version of the script; `byteify` is that of the hand-over. */
  script: z.int(),
  byteify: z.string(),
  torch: z.string(),
  transformers: z.string(),
  /** Digest of the text and its split. */
  data_sha256: z.string(),
  steps: z.int(),
  /** How many bytes of text the steps read. */
  bytes: z.number(),
});

export type TrainedElsewhere = Readonly<z.infer<typeof trainedElsewhere>>;

const provenanceSchema = z.strictObject({
  format: z.literal(1),
  byteify: z.string(),
  /** Null for a checkpoint without a recorded history. */
  source: z
    .strictObject({
      /** The hub id, or the name of a local folder or file. */
      model: z.string(),
      /** The commit of a hub model. */
      revision: z.string().nullable(),
      license: z.string().nullable(),
      /** The types of its quantised weights, the most frequent first; absent if there are none, or they were not recorded. */
      quantised_types: z.array(z.string()).readonly().optional(),
      files: z.array(z.strictObject({ name: z.string(), size_bytes: z.number(), sha256: z.string() })),
    })
    .nullable(),
  /** The BLT that `byteify adapt` began with; absent if a Llama was converted. */
  adapted_from: z.strictObject({ model: z.string(), sha256: z.string() }).optional(),
  recipe: z
    .strictObject({
      name: z.string(),
      /** Digest of all values, as in the conversion's `byteify.json`. */
      sha256: z.string(),
      /** Digest of the values that determine the weights; it does not change with export settings. */
      training_sha256: z.string().optional(),
    })
    .nullable(),
  data: z.strictObject({
    /** Digest of the text and its split. */
    sha256: z.string().nullable(),
    sources: z.array(dataSource),
  }),
  stages: z.partialRecord(
    z.enum(STAGE_NAMES),
    z.strictObject({ seconds: z.number(), metrics: z.record(z.string(), z.number()) }),
  ),
  /** What happened after the stages, the first training first; absent if nothing did. The measurements of the stages were made before it. */
  trained_elsewhere: z.array(trainedElsewhere).min(1).optional(),
});

export type Provenance = z.infer<typeof provenanceSchema>;

/** The last component of a path of any operating system. */
export function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** The public name of the source: a hub id, or a file name. A local path can look like an id, but only hub models have a commit. */
export function sourceName({ model, revision }: Pick<Manifest, 'model' | 'revision'>): string | null {
  if (model === null) return null;
  return revision === null ? lastPart(model) : model.split('@', 1)[0]!;
}

/** Excludes the source, which is identified by its files' digests, and settings that do not affect the weights. */
function trainingDigest({ name, source, hardware, export: exported, ...training }: Recipe): string {
  return digestOf(forDigest(training));
}

/**
 * Builds the provenance of an export.
 * @param manifest of the conversion; null for a plain checkpoint.
 * @param sources of the training text.
 * @param recipe that the manifest names, if its values are available.
 */
export function provenanceOf(
  manifest: Manifest | null,
  sources: readonly DataSource[],
  recipe: Recipe | null = null,
): Provenance {
  const stages = STAGE_NAMES.flatMap((name) => {
    const stage = manifest?.stages[name];
    // The export stage itself is still running and has no results yet.
    return stage?.state === 'done' ? [[name, { seconds: stage.seconds, metrics: stage.metrics }] as const] : [];
  });
  const model = manifest === null ? null : sourceName(manifest);
  const files = manifest?.stages.import?.files ?? [];
  const quantised = manifest?.quantised_types ?? [];
  return {
    format: 1,
    byteify: manifest?.byteify ?? toolVersion(),
    source:
      manifest === null || model === null
        ? null
        : {
            model,
            revision: manifest.revision,
            license: manifest.license,
            ...(quantised.length > 0 && { quantised_types: quantised }),
            files: files.map(({ path, size_bytes, sha256 }) => ({ name: lastPart(path), size_bytes, sha256 })),
          },
    ...(manifest?.adapted_from !== undefined && {
      adapted_from: { ...manifest.adapted_from, model: lastPart(manifest.adapted_from.model) },
    }),
    recipe:
      manifest === null || manifest.recipe === null
        ? null
        : { ...manifest.recipe, ...(recipe !== null && { training_sha256: trainingDigest(recipe) }) },
    data: { sha256: manifest?.stages.finetune?.inputs.data ?? null, sources: [...sources] },
    stages: Object.fromEntries(stages),
  };
}

/** Parses provenance.json. @throws ByteifyError if `provenanceOf` could not have written it. */
export function parseProvenance(text: string): Provenance {
  const file = { schema: provenanceSchema, what: 'a valid provenance file', hint: 'Export again.' };
  return parseWritten(text, PROVENANCE_NAME, file);
}
