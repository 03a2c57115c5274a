/** @module How a command line names the data of a recipe, for commands that a reader completes. */
import type { Recipe } from './schema.js';

const TEXT = 'text';

/**
 * What stands after `--data`: one word, or one for each domain.
 * @param place names what a reader has to put in the place of a domain's name
 * @example dataWords(recipe, (name) => name.toUpperCase()) // ['TEXT', 'images=IMAGES']
 */
export function dataWords({ data }: Pick<Recipe, 'data'>, place: (name: string) => string): string[] {
  const names = Object.keys(data.domains ?? { [TEXT]: {} });
  return names.map((name) => (name === TEXT ? place(name) : `${name}=${place(name)}`));
}
