/** @module Runs a stage of a conversion: skips it when it is done, resumes it when it was stopped, refuses it when its inputs changed. */

import { existsSync } from 'node:fs';
import { UsageError } from '../errors.js';
import type { InputFile, StageRecord } from './manifest.js';
import type { Conversion } from './open-conversion.js';
import { restartHint } from './restart-hint.js';
import { STAGE_NAMES, type StageName } from './stages.js';

/** The results of a stage that the manifest records. */
export interface StageOutcome {
  readonly files?: readonly InputFile[];
  readonly metrics?: Readonly<Record<string, number>>;
}

/**
 * Runs `work` unless the manifest records it as done with these inputs and its output still exists.
 * A stage that was stopped midway is called again with its partial output in place; `work` resumes from it or starts over.
 * @param params.inputs digests by name (`recipe`, `model`, `data`); the message about a changed input quotes these names
 * @returns whether the stage was run or skipped
 * @throws UsageError naming the inputs that changed since the stage began, unless `restartFrom` covers the stage
 * @example await runStage({ conversion, name: 'remap', inputs: { recipe: digestOf(recipe.blt) }, work: () => remap(...) })
 */
export async function runStage(params: {
  conversion: Conversion;
  name: StageName;
  inputs: Readonly<Record<string, string>>;
  work: (folder: string) => Promise<StageOutcome>;
}): Promise<'done' | 'skipped'> {
  const { conversion, name, inputs, work } = params;
  await restart(conversion, name);
  const before = conversion.manifest().stages[name];
  if (before !== undefined) refuseChanged({ conversion, name, before: before.inputs, now: inputs });
  const output = conversion.path(name);
  if (before?.state === 'done' && existsSync(output)) return 'skipped';

  const startedAt = performance.now();
  const record: StageRecord = {
    state: 'started',
    inputs: { ...inputs },
    started: before?.started ?? new Date().toISOString(),
    finished: null,
    seconds: before?.state === 'started' ? before.seconds : 0,
    files: [],
    metrics: {},
  };
  const seconds = () => Math.round(record.seconds * 1000 + performance.now() - startedAt) / 1000;
  await save(conversion, name, record);
  let outcome: StageOutcome;
  try {
    outcome = await work(output);
  } catch (error) {
    // Count the time of a stopped session too. A failure to write the manifest must not hide why the work failed.
    await save(conversion, name, { ...record, seconds: seconds() }).catch(() => undefined);
    throw error;
  }
  await save(conversion, name, {
    ...record,
    state: 'done',
    finished: new Date().toISOString(),
    seconds: seconds(),
    files: [...(outcome.files ?? [])],
    metrics: { ...outcome.metrics },
  });
  return 'done';
}

/** Discards the first stage that the restart covers and all later ones, once per session. */
async function restart(conversion: Conversion, name: StageName): Promise<void> {
  const from = conversion.restartFrom();
  if (from === null || STAGE_NAMES.indexOf(name) < STAGE_NAMES.indexOf(from)) return;
  await conversion.discardFrom(from);
}

function refuseChanged(params: {
  conversion: Conversion;
  name: StageName;
  before: Readonly<Record<string, string>>;
  now: Readonly<Record<string, string>>;
}): void {
  const { conversion, name, before, now } = params;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const changed = keys.filter((key) => before[key] !== now[key]);
  if (changed.length === 0) return;
  const what =
    changed.length === 1 ? `${changed[0]} has` : `${changed.slice(0, -1).join(', ')} and ${changed.at(-1)} have`;
  throw new UsageError(`The ${what} changed since the stage "${name}" began in ${conversion.folder}.`, {
    hint: restartHint(name),
  });
}

async function save(conversion: Conversion, name: StageName, record: StageRecord): Promise<void> {
  await conversion.update((manifest) => ({ ...manifest, stages: { ...manifest.stages, [name]: record } }));
}
