// Writes schema/recipe.schema.json and the tables of keys in docs/recipes.md from src/recipe. A test fails if either is out of date.
// Run: npm run schema
import { readFileSync, writeFileSync } from 'node:fs';
import { recipeJsonSchema, recipeKeyTable } from '../dist/recipe/index.js';

writeFileSync(
  new URL('../schema/recipe.schema.json', import.meta.url),
  `${JSON.stringify(recipeJsonSchema(), null, 2)}\n`,
);

const docs = new URL('../docs/recipes.md', import.meta.url);
const written = readFileSync(docs, 'utf8').replace(
  /(<!-- keys -->\n)[\s\S]*(<!-- \/keys -->)/,
  (_, begin, end) => `${begin}\n${recipeKeyTable()}\n${end}`,
);
writeFileSync(docs, written);
