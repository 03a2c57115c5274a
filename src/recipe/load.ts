/** @module Reads recipes: shipped ones by name, others by path. Errors name the line and column. */
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

/** The folder lies beside both src/ and dist/. */
const SHIPPED = fileURLToPath(new URL('../../recipes', import.meta.url));

/** Names of the recipes that are shipped with byteify, sorted. */
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
    hint: `Pass a YAML file, or one of: ${(await listRecipes()).join(', ')}.`,
  });
}

export interface LoadOptions {
  /** Overrides in the form `key=value`. */
  readonly sets?: readonly string[];
  /** Called with a warning for each key that is accepted but has a newer name. */
  readonly onWarning?: OnWarning;
}

/** `way` selects the default recipe that is used if none is named. */
export interface DefaultOptions extends LoadOptions {
  readonly way?: keyof typeof DEFAULT_RECIPES;
  /** A shipped recipe that is used instead of that default. */
  readonly shipped?: string;
}

function validate(text: RecipeText): Recipe {
  let value: unknown;
  try {
    value = text.document.toJS();
  } catch (cause) {
    // Aliases that precede their anchor, or that expand without bound.
    throw new UsageError(`${text.where}: ${messageOf(cause)}.`, { hint: 'Write out the values instead.', cause });
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
      hint: 'The file is not valid YAML.',
    });
  }
  if (document.contents === null)
    throw new UsageError(`${where} is empty.`, { hint: 'A recipe needs at least a name and stages.' });
  renameKeys(document, where, onWarning);
  // Validated before the overrides, so that an error in the file is reported with its line and column.
  const written = validate({ document, where, lines });
  if (sets.length === 0) return written;
  for (const override of sets) applyOverride(document, override, onWarning);
  return validate({ document, where: `${where} with --set`, lines: null });
}

/**
 * @param nameOrPath the name of a shipped recipe, or the path of a YAML file.
 * @throws UsageError naming the file, line, column and key of the first error.
 */
export async function loadRecipe(nameOrPath: string, options: LoadOptions = {}): Promise<Recipe> {
  const path = await findRecipe(nameOrPath);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const hint =
      cause.code === 'EISDIR' ? 'It is a folder; name the YAML file in it.' : 'Check the file’s permissions.';
    throw new UsageError(`${path} cannot be read (${cause.code}).`, { hint, cause });
  });
  return parseRecipe(text, path, options);
}

/**
 * The recipes that are used if none is named: derived sizes and 64 MB of text, the paper's with the schema's defaults. The distilled one fine-tunes
 * what the closed form gives, at the rates of the recipe smollm2-135m (docs/distillation.md). `paper` needs no source to distil from.
 */
const DEFAULT_RECIPES = {
  distilled: `name: default
patcher: { kind: aligned }
stages:
  - kind: closed-form
  - kind: end-to-end
    steps: 4000
    batch_bytes: 16384
    learning_rate: 2.0e-5
    learning_rate_scale: { decoder: 3 }
    betas: [0.9, 0.99]
    weight_decay: 0
    schedule: linear
    min_learning_rate_ratio: 0.1
    losses: { prefix_kl: 1, cross_entropy: 0.25 }
`,
  paper: 'name: default\nstages:\n  - kind: end-to-end\n    steps: 1000\n',
} as const;

/**
 * Loads the named recipe, or the default if none is named.
 * @throws UsageError as `loadRecipe` does.
 */
export async function loadRecipeOrDefault(
  nameOrPath: string | undefined,
  { way = 'distilled', shipped, ...options }: DefaultOptions = {},
): Promise<Recipe> {
  const named = nameOrPath ?? shipped;
  return named === undefined
    ? parseRecipe(DEFAULT_RECIPES[way], 'the default recipe', options)
    : loadRecipe(named, options);
}

/**
 * Loads the recipe of a conversion: the named one, else the `recipe.yaml` in the conversion folder, else the default.
 * @throws UsageError as `loadRecipe` does.
 */
export async function recipeFor(
  folder: string,
  nameOrPath: string | undefined,
  options: DefaultOptions = {},
): Promise<Recipe> {
  const own = join(folder, 'recipe.yaml');
  return loadRecipeOrDefault(nameOrPath ?? (existsSync(own) ? own : undefined), options);
}

/** Writes a recipe as YAML with every default written out. */
export function recipeToYaml(recipe: Recipe): string {
  return stringify(recipe);
}
