/** @module The plan of a prepared folder: written by the first command that works there, and compared by all others. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  identityOf,
  PLAN_FILE,
  type PlannedInput,
  type PreparePlan,
  partFolder,
  readPlan,
  readShardManifest,
  shardFolder,
} from '../data/index.js';
import { UsageError } from '../errors.js';
import { digestOfFile, makeFolder, writeFileAtomic } from '../fs/index.js';
import type { PrepareInput } from './input.js';
import { differingPatcher } from './patcher-identity.js';

const HINT = 'Use another --out, or the options and inputs with which this folder was begun.';

/** Of a digest, what tells it from others; of other values, all. */
const shown = (value: unknown): unknown => (typeof value === 'string' ? value.slice(0, 12) : (value ?? 'none'));

/** What differs between two plans other than their inputs, as it would complete "was prepared with another"; null if nothing does. */
function differingSetting(before: PreparePlan, now: PreparePlan): string | null {
  const patcher = differingPatcher(before, now);
  if (patcher !== null) return `${patcher[0]} (${shown(patcher[1])} instead of ${shown(patcher[2])})`;
  const rows: readonly (readonly [string, unknown, unknown])[] = [
    ['--kind', before.settings.kind, now.settings.kind],
    ['--column', before.settings.column, now.settings.column],
    ['--shard-bytes', before.settings.shard_bytes, now.settings.shard_bytes],
    ['number of parts', before.settings.parts, now.settings.parts],
  ];
  const row = rows.find(([, then, today]) => then !== today);
  return row === undefined ? null : `${row[0]} (${row[1]} instead of ${row[2]})`;
}

const sameContents = (a: PlannedInput, b: PlannedInput) => a.size_bytes === b.size_bytes && a.digest === b.digest;

/** The first input that differs, as a clause; null if none does. */
function differingInput(before: readonly PlannedInput[], now: readonly PlannedInput[]): string | null {
  const names = new Map(before.map((input) => [input.name, input]));
  const added = now.find(({ name }) => !names.has(name));
  if (added !== undefined) return `${added.name} is new`;
  const present = new Map(now.map((input) => [input.name, input]));
  for (const input of before) {
    const same = present.get(input.name);
    if (same === undefined) return `${input.name} is gone`;
    if (!sameContents(input, same)) return `${input.name} was changed`;
  }
  return before.some(({ name }, i) => name !== now[i]?.name) ? 'they are in another order' : null;
}

/** The digests of the inputs that the shards of a folder have read, by name. */
async function readDigests(out: string, parts: number): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (let part = 0; part < parts; part++) {
    for (let shard = 0; ; shard++) {
      const manifest = await readShardManifest(join(out, partFolder(part, parts), shardFolder(shard)));
      if (manifest === null) break;
      for (const { name, sha256 } of manifest.inputs) if (sha256 !== null) digests.set(name, sha256);
    }
  }
  return digests;
}

/** The first local input with another time whose contents are not those that were read; null if there is none. */
async function touchedInput(
  out: string,
  before: PreparePlan,
  now: readonly PrepareInput[],
  signal?: AbortSignal,
): Promise<string | null> {
  const touched = now.filter(({ modified }, i) => modified !== before.inputs[i]?.modified);
  if (touched.length === 0) return null;
  const digests = await readDigests(out, before.settings.parts);
  for (const { name, path } of touched) {
    const digest = path === null ? null : await digestOfFile(path, signal && { signal });
    if (digest === null || digest !== digests.get(name)) return `${name} was changed`;
  }
  return null;
}

/** What differs between the plan of a folder and a new one, as a sentence; null if the work can continue. */
async function difference(
  out: string,
  { before, now, inputs }: { before: PreparePlan; now: PreparePlan; inputs: readonly PrepareInput[] },
  signal?: AbortSignal,
): Promise<string | null> {
  const setting = differingSetting(before, now);
  if (setting !== null) return `${out} was prepared with another ${setting}.`;
  const input = differingInput(before.inputs, now.inputs) ?? (await touchedInput(out, before, inputs, signal));
  return input === null ? null : `${out} was prepared from other inputs: ${input}.`;
}

const plannedInput = ({ name, size_bytes, modified, digest, license }: PrepareInput): PlannedInput => ({
  ...{ name, size_bytes, modified, digest, license },
});

/**
 * Writes the plan into a folder, or compares it with the one that is there.
 * @returns the identity of the prepared folder
 * @throws UsageError naming what differs, and if the folder has other contents
 */
export async function agreeOnPlan(
  out: string,
  settings: Omit<PreparePlan, 'format' | 'inputs'>,
  { inputs, signal }: { readonly inputs: readonly PrepareInput[]; readonly signal?: AbortSignal },
): Promise<string> {
  const now: PreparePlan = { format: 1, ...settings, inputs: inputs.map(plannedInput) };
  const before = await readPlan(out);
  if (before === null) {
    if (existsSync(out) && (await hasContents(out)))
      throw new UsageError(`${out} is not empty and is no prepared folder.`, { hint: 'Give another --out.' });
    await makeFolder(out);
  } else {
    const differs = await difference(out, { before, now, inputs }, signal);
    if (differs !== null) throw new UsageError(differs, { hint: HINT });
    if (JSON.stringify(before) === JSON.stringify(now)) return identityOf(now);
  }
  // Several parts may begin at once; they write the same.
  await writeFileAtomic(join(out, PLAN_FILE), `${JSON.stringify(now, null, 2)}\n`);
  return identityOf(now);
}

/** Temporary files are those of other parts that begin. */
const hasContents = async (folder: string) => (await readdir(folder)).some((name) => !name.startsWith('.'));
