/** @module What is wrong with a recipe, with the file, line, column and key of it. */
import { type Document, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '../errors.js';
import { nearestKey } from './nearest-key.js';

export type Path = readonly (string | number)[];

/** A parsed recipe and what its places are counted by; no lines where it is no longer what stands in the file. */
export interface RecipeText {
  readonly document: Document.Parsed;
  readonly where: string;
  readonly lines: LineCounter | null;
}

type Range = readonly number[] | null | undefined;

function place(lines: LineCounter | null, range: Range): string {
  if (!lines || !range) return '';
  const { line, col } = lines.linePos(range[0]!);
  return `:${line}:${col}`;
}

/** Of the deepest part of a path that the document has. */
function placeOfValue({ document, lines }: RecipeText, path: Path): string {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const range = (node as { range?: Range } | null | undefined)?.range;
    if (range) return place(lines, range);
  }
  return '';
}

/** Of a key itself, not of what it stands in. */
function placeOfKey({ document, lines }: RecipeText, path: Path, key: string): string {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  const items = (parent as { items?: { key: unknown }[] } | null)?.items ?? [];
  const found = items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
  return place(lines, isScalar(found) ? found.range : null);
}

const DOCUMENTATION = 'docs/recipes.md lists every key with its unit.';

function hintFor(value: unknown): string {
  if (typeof value === 'string' && /^\d[\d_]*_[\d_]*$/.test(value))
    return `YAML reads ${value} as text: write ${value.replaceAll('_', '')}.`;
  return DOCUMENTATION;
}

/** An issue of the schema as one sentence. */
export function complaint(issue: z.core.$ZodIssue, text: RecipeText): UsageError {
  const path = issue.path as Path;
  const { document, where } = text;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const meant = nearestKey(path, key);
    const name = [...path, key].join('.');
    return new UsageError(`${where}${placeOfKey(text, path, key)}: ${name}: there is no such key.`, {
      hint: meant === null ? DOCUMENTATION : `Was ${meant} meant?`,
    });
  }
  const name = path.join('.') || 'recipe';
  return new UsageError(`${where}${placeOfValue(text, path)}: ${name}: ${issue.message}.`, {
    hint: hintFor(document.getIn(path)),
  });
}
