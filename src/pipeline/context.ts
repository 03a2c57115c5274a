/** @module What every step of a conversion is given. */
import type { Conversion } from '../conversion/index.js';
import type { Recipe } from '../recipe/index.js';
import type { Reporter } from '../ui/index.js';

export interface StepContext {
  readonly conversion: Conversion;
  readonly recipe: Recipe;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}
