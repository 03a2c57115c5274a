/** @module Renamed recipe keys: the old names are still accepted, with a warning. */
import { type Document, isScalar, visit } from 'yaml';
import { UsageError } from '../errors.js';

/** Old name -> current name. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['row_bytes', 'sequence_length'],
  ['micro_batch_rows', 'micro_batch_size'],
  ['piece_bytes', 'max_document_bytes'],
]);

/** Called with one sentence. */
export type OnWarning = (sentence: string) => void;

const sentence = (where: string, from: string, to: string) => `${where}: ${from} is now called ${to}.`;

/** Replaces old key names in a path by the current ones. */
export function renamedPath<Key extends string | number>(
  path: readonly Key[],
  where: string,
  onWarning: OnWarning,
): (Key | string)[] {
  return path.map((key) => {
    const name = RENAMED.get(String(key));
    if (name !== undefined) onWarning(sentence(where, String(key), name));
    return name ?? key;
  });
}

/**
 * Replaces old key names in a document by the current ones, with one warning per old name.
 * @throws UsageError if one mapping has a key under both names.
 */
export function renameKeys(document: Document.Parsed, where: string, onWarning: OnWarning): void {
  const found = new Set<string>();
  visit(document, {
    Map(_, map) {
      for (const { key } of map.items) {
        if (!isScalar(key) || typeof key.value !== 'string') continue;
        const [from, to] = [key.value, RENAMED.get(key.value)];
        if (to === undefined) continue;
        if (map.has(to)) {
          throw new UsageError(`${where}: ${from} and ${to} are two names for the same key.`, {
            hint: `Remove ${from}.`,
          });
        }
        key.value = to;
        if (!found.has(from)) onWarning(sentence(where, from, to));
        found.add(from);
      }
    },
  });
}

const FIRST_NAMES: ReadonlyMap<string, string> = new Map([...RENAMED].map(([from, to]) => [to, from]));

/** Returns part of a recipe with the original key names, for digests: a conversion that was started under those names can be resumed. */
export function underFirstNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(underFirstNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [FIRST_NAMES.get(key) ?? key, underFirstNames(inner)]),
  );
}
