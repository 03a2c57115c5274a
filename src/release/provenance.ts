/** @module `provenance.json` of an export: what anyone needs who makes the model again, and nothing of the machine that made it. */
import { z } from 'zod';
import { type Manifest, STAGE_NAMES } from '../conversion/index.js';
import { ByteifyError } from '../errors.js';
import { digestOf } from '../fs/index.js';
// The name alone: the folder's index loads the hub's client.
import { PROVENANCE_NAME } from '../hub/publish/origin.js';
import { type DataSource, dataSource, type Recipe, underFirstNames } from '../recipe/index.js';
import { toolVersion } from '../version.js';

export { PROVENANCE_NAME };

export const RECIPE_NAME = 'recipe.yaml';

const provenanceSchema = z.strictObject({
  format: z.literal(1),
  byteify: z.string(),
  /** Null for a checkpoint that came without its history. */
  source: z
    .strictObject({
      /** The hub id, or the name of a local folder or file. */
      model: z.string(),
      /** The commit of a hub model. */
      revision: z.string().nullable(),
      license: z.string().nullable(),
      files: z.array(z.strictObject({ name: z.string(), size_bytes: z.number(), sha256: z.string() })),
    })
    .nullable(),
  recipe: z
    .strictObject({
      name: z.string(),
      /** Of all its values, in `byteify.json` of the conversion, too. */
      sha256: z.string(),
      /** Of those that the weights come from: it stays when the same weights are exported in another way. */
      training_sha256: z.string().optional(),
    })
    .nullable(),
  data: z.strictObject({
    /** Of the text and its split. */
    sha256: z.string().nullable(),
    sources: z.array(dataSource),
  }),
  stages: z.partialRecord(
    z.enum(STAGE_NAMES),
    z.strictObject({ seconds: z.number(), metrics: z.record(z.string(), z.number()) }),
  ),
});

export type Provenance = z.infer<typeof provenanceSchema>;

/** The last part of a path of any system. */
export function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** The source as a stranger knows it: the hub id, or the name of a file. A local path can look like an id; only a hub model has a commit. */
export function sourceName({ model, revision }: Pick<Manifest, 'model' | 'revision'>): string | null {
  if (model === null) return null;
  return revision === null ? lastPart(model) : model.split('@', 1)[0]!;
}

/** The source counts by its files' digests, and a name is no setting. */
function trainingDigest({ name, source, hardware, export: exported, ...training }: Recipe): string {
  return digestOf(underFirstNames(training));
}

/**
 * @param manifest null for a plain checkpoint
 * @param recipe that the manifest names, where its values are at hand
 */
export function provenanceOf(
  manifest: Manifest | null,
  sources: readonly DataSource[],
  recipe: Recipe | null = null,
): Provenance {
  const stages = STAGE_NAMES.flatMap((name) => {
    const stage = manifest?.stages[name];
    // A stage that is still going on, the export itself, has nothing to tell yet.
    return stage?.state === 'done' ? [[name, { seconds: stage.seconds, metrics: stage.metrics }] as const] : [];
  });
  const model = manifest === null ? null : sourceName(manifest);
  const files = manifest?.stages.import?.files ?? [];
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
            files: files.map(({ path, size_bytes, sha256 }) => ({ name: lastPart(path), size_bytes, sha256 })),
          },
    recipe:
      manifest === null || manifest.recipe === null
        ? null
        : { ...manifest.recipe, ...(recipe !== null && { training_sha256: trainingDigest(recipe) }) },
    data: { sha256: manifest?.stages.finetune?.inputs.data ?? null, sources: [...sources] },
    stages: Object.fromEntries(stages),
  };
}

/** @throws ByteifyError for what `provenanceOf` would not have written. */
export function parseProvenance(text: string): Provenance {
  try {
    return provenanceSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ByteifyError(`${PROVENANCE_NAME} is not as an export writes it.`, { hint: 'Export again.', cause });
  }
}
