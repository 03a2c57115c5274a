/** @module The arguments of `byteify export`. */
import type { EngineArgs, RecipeArgs, RestartArgs } from '../shared-options.js';

export interface ExportArgs extends EngineArgs, RestartArgs, Partial<RecipeArgs> {
  readonly dir: string;
  readonly out?: string;
  readonly format?: 'transformers' | 'torch';
  readonly checkpoint?: string;
  readonly data?: readonly string[];
  readonly dtype?: 'float32' | 'bfloat16';
  readonly maxShard?: number;
  readonly language: readonly string[];
  readonly dataSource: readonly object[];
}
