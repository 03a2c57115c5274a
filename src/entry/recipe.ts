/**
 * @module `byteify-blt/recipe`: loads, checks and writes the recipes of conversions, and provides their JSON Schema. Loads no
 * TensorFlow.
 *
 * @example
 * import { loadRecipe, recipeToYaml } from 'byteify-blt/recipe';
 *
 * const recipe = await loadRecipe('llama-3.2-1b', { sets: ['stages.4.steps=100'] });
 * console.log(recipeToYaml(recipe));
 */
export { ByteifyError, UsageError } from '../errors.js';
export {
  listRecipes,
  loadRecipe,
  loadRecipeOrDefault,
  localSizesOf,
  type Recipe,
  type RecipeStage,
  recipeFor,
  recipeJsonSchema,
  recipeToYaml,
  type StageKind,
} from '../recipe/index.js';
