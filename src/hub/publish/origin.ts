/** @module What a published model was made from, as `provenance.json` beside it says: by it a publish knows its own model again. */
import { z } from 'zod';
import { digestOf } from '../../fs/index.js';

/** An export's file that holds it (src/release/provenance.ts). */
export const PROVENANCE_NAME = 'provenance.json';

/** An export's own takes some kilobytes; a file of that name that is much larger is something else. */
export const MAX_PROVENANCE_BYTES = 2 ** 20;

const named = z.object({ name: z.string(), sha256: z.string() });

/** The part of it that tells two models apart. */
const provenanceSchema = z.object({
  source: z.object({ model: z.string(), files: z.array(named).min(1) }),
  recipe: named.extend({ training_sha256: z.string().optional() }),
});

export interface Origin {
  readonly source: { readonly name: string /** Of its files' names and digests. */; readonly sha256: string };
  readonly recipe: {
    readonly name: string /** Of what the weights come from, where that is told. */;
    readonly sha256: string;
  };
}

/** Null for what is no provenance, or does not name both source and recipe. */
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
