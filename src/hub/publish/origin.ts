/** @module The origin of a published model, read from its `provenance.json`: publishing recognises earlier versions of a model by it. */
import { z } from 'zod';
import { digestOf } from '../../fs/index.js';

/** The file of an export with its provenance (src/release/provenance.ts). */
export const PROVENANCE_NAME = 'provenance.json';

/** An export's provenance takes some kilobytes; a much larger file of that name is something else. */
export const MAX_PROVENANCE_BYTES = 2 ** 20;

const named = z.object({ name: z.string(), sha256: z.string() });

/** The part of the provenance that distinguishes models. */
const provenanceSchema = z.object({
  source: z.object({ model: z.string(), files: z.array(named).min(1) }),
  recipe: named.extend({ training_sha256: z.string().optional() }),
});

export interface Origin {
  /** `sha256` covers the names and digests of the source's files. */
  readonly source: { readonly name: string; readonly sha256: string };
  /** `sha256` covers the settings that determine the weights, if the provenance has that digest; otherwise all settings. */
  readonly recipe: {
    readonly name: string;
    readonly sha256: string;
  };
}

/** Parses provenance.json; null if it is not valid or does not name both source and recipe. */
export function parseOrigin(text: string): Origin | null {
  try {
    const { source, recipe } = provenanceSchema.parse(JSON.parse(text));
    const files = source.files.map(({ name, sha256 }) => `${sha256} ${name}`).sort();
    return {
      source: { name: source.model, sha256: digestOf(files) },
      recipe: { name: recipe.name, sha256: recipe.training_sha256 ?? recipe.sha256 },
    };
  } catch {
    return null;
  }
}
