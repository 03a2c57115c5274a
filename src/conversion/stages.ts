/** @module The stages of a conversion in order, and the folder that each one writes. */
import { join } from 'node:path';

export const STAGES = [
  { name: 'import', output: 'source' },
  { name: 'remap', output: 'init' },
  { name: 'patcher', output: 'patcher' },
  { name: 'finetune', output: 'run' },
  { name: 'export', output: 'blt' },
] as const;

export type StageName = (typeof STAGES)[number]['name'];

export const STAGE_NAMES: readonly StageName[] = STAGES.map(({ name }) => name);

/** The stage and all later ones. */
export function stagesFrom(name: StageName): readonly (typeof STAGES)[number][] {
  return STAGES.slice(STAGE_NAMES.indexOf(name));
}

/** Where a stage of the conversion in `dir` writes. */
export const outputFolder = (dir: string, stage: StageName): string =>
  join(dir, STAGES.find(({ name }) => name === stage)!.output);
