/** @module The context of every step of a conversion. */
import type { Conversion } from '../conversion/index.js';
import type { Followers } from '../finetune/index.js';
import type { Recipe } from '../recipe/index.js';
import type { Reporter } from '../ui/index.js';

export interface StepContext {
  readonly conversion: Conversion;
  readonly recipe: Recipe;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** The processes that train with this one; null or absent if it trains alone. */
  readonly followers?: Followers | null;
}
