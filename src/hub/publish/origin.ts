/** @module What a published model was made from, as `provenance.json` beside it says: by it a publish knows its own model again. */
import { z } from 'zod';
import { digestOf } from '../../conversion/index.js';

export const PROVENANCE_NAME = 'provenance.json';

/** An export's own takes some kilobytes; a file of that name that is much larger is something else. */
export const MAX_PROVENANCE_BYTES = 2 ** 20;

const named = z.object({ name: z.string(), sha256: z.string() });

/** The part of it that tells two models apart. */
const provenanceSchema = z.object({
  source: z.object({ model: z.string(), files: z.array(named).min(1) }),
  recipe: named,
});

export interface Origin {
  readonly source: { readonly name: string /** Of its files' names and digests. */; readonly sha256: string };
  readonly recipe: { readonly name: string; readonly sha256: string };
}

/** Null for what is no provenance, or does not name both source and recipe. */
export function parseOrigin(text: string): Origin | null {
  try {
    const { source, recipe } = provenanceSchema.parse(JSON.parse(text));
    const files = source.files.map(({ name, sha256 }) => `${sha256} ${name}`).sort();
    return { source: { name: source.model, sha256: digestOf(files) }, recipe };
  } catch {
    return null;
  }
}
