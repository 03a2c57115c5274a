/** @module The hint for a stage that has begun and is now given other inputs. */
import type { StageName } from './stages.js';

/** @param instead another way out, if there is one; it comes first, without a full stop. */
export function restartHint(stage: StageName, instead: string | null = null): string {
  const add = instead === null ? 'Add' : `${instead}, add`;
  return `${add} --restart-from ${stage} to redo it and all later stages, or choose another --out.`;
}
