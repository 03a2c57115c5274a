/** @module Reads recipes: shipped ones by name, others by path; every mistake is named with its line and column. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, isScalar, LineCounter, parse, parseDocument, stringify } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '../errors.js';
import { type Recipe, recipeSchema } from './schema.js';

/** Beside both src/ and dist/. */
const SHIPPED = fileURLToPath(new URL('../../recipes', import.meta.url));

type Path = readonly (string | number)[];

/** Names of the recipes that come with byteify. */
export async function listRecipes(): Promise<string[]> {
  return (await readdir(SHIPPED))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -5))
    .sort();
}

async function findRecipe(nameOrPath: string): Promise<string> {
  const shipped = join(SHIPPED, `${nameOrPath}.yaml`);
  if (/^[\w.-]+$/.test(nameOrPath) && existsSync(shipped)) return shipped;
  if (existsSync(nameOrPath)) return nameOrPath;
  throw new UsageError(`There is no recipe "${nameOrPath}".`, {
    hint: `Give a YAML file, or one of: ${(await listRecipes()).join(', ')}.`,
  });
}

/** `file:line:col` of the deepest part of a path that the document has; a mapping's value is found by its key where it has one. */
function placeOf(document: Document.Parsed, lines: LineCounter, path: Path): string {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
    if (!range) continue;
    const { line, col } = lines.linePos(range[0]!);
    return `:${line}:${col}`;
  }
  return '';
}

/** Where an unknown key stands: the key itself, not its parent. */
function keyPlace(document: Document.Parsed, lines: LineCounter, path: Path, key: string): string {
  const parent = path.length === 0 ? document.contents : document.getIn(path, true);
  const items = (parent as { items?: { key: unknown }[] } | null)?.items ?? [];
  const found = items.find((item) => isScalar(item.key) && item.key.value === key)?.key;
  const range = isScalar(found) ? found.range : null;
  if (!range) return placeOf(document, lines, path);
  const { line, col } = lines.linePos(range[0]);
  return `:${line}:${col}`;
}

function complaint(issue: z.core.$ZodIssue, document: Document.Parsed, lines: LineCounter, where: string): UsageError {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0]!;
    const place = keyPlace(document, lines, path, key);
    return new UsageError(`${where}${place}: ${[...path, key].join('.')}: there is no such key.`, {
      hint: 'docs/recipes.md lists every key.',
    });
  }
  return new UsageError(`${where}${placeOf(document, lines, path)}: ${path.join('.') || 'recipe'}: ${issue.message}.`, {
    hint: 'docs/recipes.md lists every key with its unit.',
  });
}

/** `stages.0.steps=50`: the value is read as YAML. */
function applyOverride(document: Document.Parsed, override: string): void {
  const equals = override.indexOf('=');
  if (equals < 1)
    throw new UsageError(`--set takes key=value, not "${override}".`, { hint: 'For example --set stages.0.steps=50.' });
  const path = override
    .slice(0, equals)
    .split('.')
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  let value: unknown;
  try {
    value = parse(override.slice(equals + 1));
  } catch (cause) {
    throw new UsageError(`--set ${override}: the value is not YAML.`, { cause });
  }
  const missing = path.findIndex((key, depth) => typeof key === 'number' && !document.hasIn(path.slice(0, depth + 1)));
  if (missing >= 0)
    throw new UsageError(`--set ${override}: there is no ${path.slice(0, missing + 1).join('.')}.`, {
      hint: 'Lists are counted from 0.',
    });
  document.setIn(path, value);
}

function validate(document: Document.Parsed, lines: LineCounter, where: string): Recipe {
  const parsed = recipeSchema.safeParse(document.toJS());
  if (!parsed.success) throw complaint(parsed.error.issues[0]!, document, lines, where);
  return parsed.data;
}

function parseRecipe(text: string, where: string, sets: readonly string[]): Recipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new UsageError(`${where}:${line}:${col}: ${error.message.split('\n')[0]?.replace(/ at line .*$/, '')}.`, {
      hint: 'The file is not YAML.',
    });
  }
  if (document.contents === null)
    throw new UsageError(`${where} is empty.`, { hint: 'A recipe has at least a name and stages.' });
  // Before the overrides, so that a mistake in the file is named with its place in it.
  validate(document, lines, where);
  for (const override of sets) applyOverride(document, override);
  return sets.length === 0
    ? validate(document, lines, where)
    : validate(document, new LineCounter(), `${where} with --set`);
}

/**
 * @param nameOrPath a shipped recipe's name or a YAML file; @param sets overrides as `key=value`.
 * @throws UsageError naming file, line, column and key of what is wrong.
 */
export async function loadRecipe(nameOrPath: string, sets: readonly string[] = []): Promise<Recipe> {
  const path = await findRecipe(nameOrPath);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError(`${path} cannot be read (${cause.code}).`, { cause });
  });
  return parseRecipe(text, path, sets);
}

/** What is done where nothing was asked for: sizes by the rule, the schema's defaults, a thousand steps of the paper's way. */
const DEFAULT_RECIPE = 'name: default\nstages:\n  - kind: end-to-end\n    steps: 1000\n';

export async function loadRecipeOrDefault(
  nameOrPath: string | undefined,
  sets: readonly string[] = [],
): Promise<Recipe> {
  return nameOrPath === undefined
    ? parseRecipe(DEFAULT_RECIPE, 'the default recipe', sets)
    : loadRecipe(nameOrPath, sets);
}

/** The recipe of a conversion: the one that is named, else the one it was begun with, else the default. */
export async function recipeFor(
  folder: string,
  nameOrPath: string | undefined,
  sets: readonly string[] = [],
): Promise<Recipe> {
  const own = join(folder, 'recipe.yaml');
  return loadRecipeOrDefault(nameOrPath ?? (existsSync(own) ? own : undefined), sets);
}

/** A recipe as YAML with every default written out. */
export function recipeToYaml(recipe: Recipe): string {
  return stringify(recipe);
}
