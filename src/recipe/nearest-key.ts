/** @module Suggests an existing key for a misspelled one. */
import { recipeJsonSchema } from './schema.js';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
}

/** The keys that the schema allows at a path of a recipe. */
function keysAt(path: readonly (string | number)[]): string[] {
  let nodes: readonly SchemaNode[] = [recipeJsonSchema() as SchemaNode];
  for (const step of path) {
    const next = nodes.flatMap((node) => (typeof step === 'number' ? node.items : node.properties?.[step]) ?? []);
    nodes = next.flatMap((node) => node.oneOf ?? node);
  }
  return nodes.flatMap((node) => Object.keys(node.properties ?? {}));
}

/** Edit distance: insertions, deletions and substitutions of letters (Levenshtein 1966). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length]!;
}

/** @returns the closest key at that path, or null if none is close: at most a third of the letters may differ. */
export function nearestKey(path: readonly (string | number)[], key: string): string | null {
  const ranked = keysAt(path)
    .map((candidate) => ({ candidate, letters: distance(key, candidate) }))
    .sort((a, b) => a.letters - b.letters);
  const [best] = ranked;
  return best !== undefined && best.letters <= Math.max(1, Math.floor(key.length / 3)) ? best.candidate : null;
}
