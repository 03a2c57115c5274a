// Writes schema/recipe.schema.json from src/recipe. Run after `npm run build`; a test fails when the file is out of date.
import { writeFileSync } from 'node:fs';
import { recipeJsonSchema } from '../dist/recipe/index.js';

writeFileSync(
  new URL('../schema/recipe.schema.json', import.meta.url),
  `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`,
);
