// The arms of bench:closed-form: what each changes in the recipe's closed form, and which text it gets more or less of, so that all arms cost
// the same.
import { flopsOfClosedForm } from '../closed-form-flops.mjs';

export const ARMS = {
  recipe: { changes: {}, balanced: 'text_bytes' },
  'no n-gram tables': { changes: { ngram_bytes: 0 }, balanced: 'solve_bytes' },
  'linear decoder': { changes: { decoder: 'linear' }, balanced: 'solve_bytes' },
  'feed-forward decoder': { changes: { decoder: 'feed-forward' }, balanced: 'solve_bytes' },
  'encoder of tables': { changes: { encoder: 'tables' }, balanced: 'text_bytes' },
  'feed-forward encoder': { changes: { encoder: 'feed-forward' }, balanced: 'text_bytes' },
};

/**
 * The closed form of an arm: the recipe's own with the arm's changes, and as much of the balanced text as makes it cost `flops`. The operations
 * are linear in each text.
 */
export function stageOf(stage, { changes, balanced }, model, flops) {
  const changed = { ...stage, ...changes };
  const at = (bytes) => flopsOfClosedForm({ ...changed, [balanced]: bytes }, model);
  const perByte = (at(1e6) - at(0)) / 1e6;
  return { ...changed, [balanced]: Math.round((flops - at(0)) / perByte) };
}
