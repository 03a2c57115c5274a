/** @module Turns schema errors of a recipe into messages that name the file, line, column and key. */
import { type Document, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '../errors.js';
import { nearestKey } from './nearest-key.js';

export type Path = readonly (string | number)[];

/** A parsed recipe. `lines` is null once the document no longer matches the file, as after an override. */
export interface RecipeText {
  readonly document: Document.Parsed;
  readonly where: string;
  readonly lines: LineCounter | null;
}

type Range = readonly number[] | null | undefined;

function position(lines: LineCounter | null, range: Range): string {
  if (!lines || !range) return '';
  const { line, col } = lines.linePos(range[0]!);
  return `:${line}:${col}`;
}

/** The position of the deepest node on a path that exists in the document. */
function positionOfValue({ document, lines }: RecipeText, path: Path): string {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const range = (node as { range?: Range } | null | undefined)?.range;
    if (range) return position(lines, range);
  }
  return '';
}

/** The position of the key itself, not of the mapping that contains it. */
function positionOfKey({ document, lines }: RecipeText, path: Path, key: string): string {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  const items = (parent as { items?: { key: unknown }[] } | null)?.items ?? [];
  const found = items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
  return position(lines, isScalar(found) ? found.range : null);
}

const DOCUMENTATION = 'docs/recipes.md lists every key with its unit.';

function hintFor(value: unknown): string {
  if (typeof value === 'string' && /^\d[\d_]*_[\d_]*$/.test(value))
    return `YAML reads ${value} as text: write ${value.replaceAll('_', '')}.`;
  return DOCUMENTATION;
}

/** Describes a schema issue in one sentence. */
export function complaint(issue: z.core.$ZodIssue, text: RecipeText): UsageError {
  const path = issue.path as Path;
  const { document, where } = text;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const meant = nearestKey(path, key);
    const name = [...path, key].join('.');
    return new UsageError(`${where}${positionOfKey(text, path, key)}: ${name}: there is no such key.`, {
      hint: meant === null ? DOCUMENTATION : `Did you mean ${meant}?`,
    });
  }
  const name = path.join('.') || 'recipe';
  return new UsageError(`${where}${positionOfValue(text, path)}: ${name}: ${issue.message}.`, {
    hint: hintFor(document.getIn(path)),
  });
}
