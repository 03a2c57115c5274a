/** @module Recipes: one YAML file per conversion. */
export { wantedTexts } from './closed-form-texts.js';
export { type DataSource, dataSource, datasetId, languageCode } from './data-source.js';
export { dataWords } from './data-words.js';
export { forDigest } from './for-digest.js';
export { recipeKeyTable } from './key-table.js';
export {
  type DefaultOptions,
  type LoadOptions,
  listRecipes,
  loadRecipe,
  loadRecipeOrDefault,
  recipeFor,
  recipeToYaml,
} from './load.js';
export { localSizesOf } from './local-sizes.js';
export { isOverridden } from './overrides.js';
export { BYTES_PER_TOKEN, targetBytesPerPatch } from './patch-size.js';
export { rowsPerStepOf } from './rows-per-step.js';
export {
  type Recipe,
  type RecipeStage,
  recipeJsonSchema,
  recipeSchema,
  type StageKind,
  type StageOf,
  type TrainingStage,
} from './schema.js';
