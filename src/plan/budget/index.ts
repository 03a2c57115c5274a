/** @module Chooses the steps of a conversion for a budget of time or FLOPs. */
export { type DividedBudget, divideBudget } from './divide-budget.js';
export { type Budget, parseBudget, sameBudget } from './parse-budget.js';
export type { IsSet } from './recipe-with-steps.js';
export { renderBudget } from './render-budget.js';
