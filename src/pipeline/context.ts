/** @module The context of every step of a conversion. */
import type { Conversion } from '../conversion/index.js';
import type { Recipe } from '../recipe/index.js';
import type { Reporter } from '../ui/index.js';

export interface StepContext {
  readonly conversion: Conversion;
  readonly recipe: Recipe;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}
