// The stages that are compiled, and a slice of them for every change.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { SOURCES } from './sources.mjs';

const stagesOf = (recipe) =>
  parse(readFileSync(fileURLToPath(new URL(`../../recipes/${recipe}.yaml`, import.meta.url)), 'utf8')).stages;

/** The patcher, every stage of gradient steps, and decoding. The closed form runs many small programs instead of a step. */
function casesOf(recipe) {
  const stages = stagesOf(recipe).flatMap(({ kind }, stage) => (kind === 'closed-form' ? [] : [{ recipe, stage }]));
  return [{ recipe, stage: 'patcher' }, ...stages, { recipe, stage: 'decoding' }];
}

export const RECIPES = Object.keys(SOURCES).flatMap((name) => [name, `${name}-paper`]);

/** How a stage can be run other than its recipe says, on the smallest model. */
const VARIANTS = [
  ['stages.1.precision=bfloat16'],
  ['stages.1.gradient_checkpointing=true'],
  ['stages.1.optimizer_state=8-bit'],
  ['stages.1.optimizer=muon'],
].map((overrides) => ({ recipe: 'tiny', stage: 1, overrides }));

/** @param {readonly string[]} recipes */
export const allCases = (recipes) => [...recipes.flatMap(casesOf), ...(recipes.includes('tiny') ? VARIANTS : [])];

/** In CI: every kind of stage of the embedded model. */
export const SLICE = casesOf('tiny');
