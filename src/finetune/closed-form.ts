import type { StageOf } from '../recipe/index.js';
import type { DistillSource } from './distill-source.js';
import type { StageContext } from './finetune.js';
export async function closedForm(
  _c: StageContext,
  _s: StageOf<'closed-form'>,
  _d: DistillSource,
): Promise<Readonly<Record<string, number>>> {
  throw new Error('x');
}
