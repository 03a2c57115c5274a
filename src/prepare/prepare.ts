/** @module Prepares data: inputs of any size as a stream into shards, all of them or one part. */
import { resolve, sep } from 'node:path';
import type { PreparedManifest, PreparePlan, Refusal } from '../data/index.js';
import { UsageError } from '../errors.js';
import { STDIN } from './input.js';
import { findInputs, type InputOptions } from './inputs.js';
import { mergePrepared } from './merge.js';
import { agreeOnPlan } from './plan.js';
import { type PartOptions, type PartResult, preparePart } from './prepare-part.js';

export interface PrepareOptions
  extends InputOptions,
    Pick<PartOptions, 'out' | 'kind' | 'column' | 'shardBytes' | 'part' | 'parts' | 'segment' | 'onProgress'> {
  /** What the patches depend on; both null without a patcher. */
  readonly identity: Pick<PreparePlan, 'patcher' | 'tokenizer'>;
  /** Called with what was left out of folders before anything is read. */
  readonly onRefused: (refused: readonly Refusal[]) => void;
  /** Called before the shards are verified. */
  readonly onMerge: () => void;
}

export interface PrepareResult extends PartResult {
  readonly identity: string;
  /** null if there are other parts. */
  readonly prepared: PreparedManifest | null;
}

/** @throws UsageError if the output would be among its own inputs */
function refuseOwnInput(out: string, inputs: readonly string[]): void {
  const around = inputs.find(
    (input) => input !== STDIN && `${resolve(out)}${sep}`.startsWith(`${resolve(input)}${sep}`),
  );
  if (around === undefined) return;
  throw new UsageError(`--out ${out} is inside of the input ${around}, which it would change.`, {
    hint: 'Choose a folder outside of the inputs.',
  });
}

/**
 * Writes what is missing of a prepared folder, or of one part of it. A single part is merged at once.
 * @throws UsageError if the folder was begun from other inputs or options, or an input does not exist; ByteifyError if nothing can be used, a shard
 * is damaged, or another process works on the part; the signal's reason. Complete shards are kept, so that the same call continues
 */
export async function prepare(options: PrepareOptions): Promise<PrepareResult> {
  const { out, kind, column, shardBytes, parts, signal } = options;
  refuseOwnInput(out, options.inputs);
  const { inputs, refused } = await findInputs(options);
  if (refused.length > 0) options.onRefused(refused);
  const settings = { kind, column, shard_bytes: shardBytes, parts };
  const identity = await agreeOnPlan(out, { settings, ...options.identity }, { inputs, ...(signal && { signal }) });
  const part = await preparePart({ ...options, identity, inputs });
  if (parts > 1) return { ...part, identity, prepared: null };
  options.onMerge();
  return { ...part, identity, prepared: await mergePrepared(out, signal && { signal }) };
}
