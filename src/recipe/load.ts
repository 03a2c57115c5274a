/** @module Reads recipes: shipped ones by name, others by path; every mistake is named with its line and column. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { messageOf, UsageError } from '../errors.js';
import { complaint, type RecipeText } from './complaint.js';
import { applyOverride } from './overrides.js';
import { type OnWarning, renameKeys } from './renamed-keys.js';
import { type Recipe, recipeSchema } from './schema.js';

/** Beside both src/ and dist/. */
const SHIPPED = fileURLToPath(new URL('../../recipes', import.meta.url));

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

export interface LoadOptions {
  /** Overrides as `key=value`. */
  readonly sets?: readonly string[];
  /** Told of what is accepted but should be written differently. */
  readonly onWarning?: OnWarning;
}

/** Also which default is taken where no recipe is named. */
export interface DefaultOptions extends LoadOptions {
  readonly way?: keyof typeof DEFAULT_RECIPES;
}

function validate(text: RecipeText): Recipe {
  let value: unknown;
  try {
    value = text.document.toJS();
  } catch (cause) {
    // Aliases that stand before their anchor, or that multiply themselves.
    throw new UsageError(`${text.where}: ${messageOf(cause)}.`, { hint: 'Write the values out.', cause });
  }
  const parsed = recipeSchema.safeParse(value);
  if (!parsed.success) throw complaint(parsed.error.issues[0]!, text);
  return parsed.data;
}

function parseRecipe(yaml: string, where: string, { sets = [], onWarning = () => {} }: LoadOptions): Recipe {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines });
  const error = document.errors[0];
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new UsageError(`${where}:${line}:${col}: ${error.message.split('\n')[0]?.replace(/ at line .*$/, '')}.`, {
      hint: 'The file is not YAML.',
    });
  }
  if (document.contents === null)
    throw new UsageError(`${where} is empty.`, { hint: 'A recipe has at least a name and stages.' });
  renameKeys(document, where, onWarning);
  // Before the overrides, so that a mistake in the file is named with its place in it.
  const written = validate({ document, where, lines });
  if (sets.length === 0) return written;
  for (const override of sets) applyOverride(document, override, onWarning);
  return validate({ document, where: `${where} with --set`, lines: null });
}

/**
 * @param nameOrPath a shipped recipe's name or a YAML file.
 * @throws UsageError naming file, line, column and key of what is wrong.
 */
export async function loadRecipe(nameOrPath: string, options: LoadOptions = {}): Promise<Recipe> {
  const path = await findRecipe(nameOrPath);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const hint =
      cause.code === 'EISDIR' ? 'It is a folder: name the YAML file in it.' : 'Check the permissions of the file.';
    throw new UsageError(`${path} cannot be read (${cause.code}).`, { hint, cause });
  });
  return parseRecipe(text, path, options);
}

/** What is done where nothing was asked for: sizes by the rule, the schema's defaults, a thousand steps; without a source, of the paper's way. */
const DEFAULT_RECIPES = {
  distilled: `name: default
patcher: { kind: aligned }
stages:
  - kind: closed-form
  - { kind: align-encoder, steps: 100, warmup_steps: 10 }
  - { kind: distill-decoder, steps: 500, warmup_steps: 50, schedule: linear }
  - { kind: join, steps: 30, warmup_steps: 3, learning_rate: 1.0e-4 }
  - { kind: end-to-end, steps: 370, warmup_steps: 37, learning_rate: 1.0e-4, learning_rate_scale: { global: 0.5 } }
`,
  paper: 'name: default\nstages:\n  - kind: end-to-end\n    steps: 1000\n',
} as const;

/**
 * The recipe that is named, or the default where none is.
 * @throws UsageError as `loadRecipe` does.
 */
export async function loadRecipeOrDefault(
  nameOrPath: string | undefined,
  { way = 'distilled', ...options }: DefaultOptions = {},
): Promise<Recipe> {
  return nameOrPath === undefined
    ? parseRecipe(DEFAULT_RECIPES[way], 'the default recipe', options)
    : loadRecipe(nameOrPath, options);
}

/** The recipe of a conversion: the one that is named, else the one it was begun with, else the default. */
export async function recipeFor(
  folder: string,
  nameOrPath: string | undefined,
  options: DefaultOptions = {},
): Promise<Recipe> {
  const own = join(folder, 'recipe.yaml');
  return loadRecipeOrDefault(nameOrPath ?? (existsSync(own) ? own : undefined), options);
}

/** A recipe as YAML with every default written out. */
export function recipeToYaml(recipe: Recipe): string {
  return stringify(recipe);
}
