/** @module Evaluates a model, alone or beside its source, by suites, and writes what they found. */
import { rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { collectRefusals, type Refusal, warnRefused } from '../data/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { lockFolder, makeFolder, writeFileAtomic } from '../fs/index.js';
import type { Part } from '../part.js';
import { candidatesOf, measureDirectly, type OpenedSource, openSource } from './run/candidates.js';
import { answersKey, itemsDigest, modelDigest } from './run/identity.js';
import { mendOutcomeFile } from './run/outcome-file.js';
import { type PartAnswers, partFolder, partOfSuite, partsIn } from './run/parts.js';
import { type ResultDocument, resultDocument } from './run/result-document.js';
import { runSuites, type SuiteRun, type Who } from './run/run-suites.js';
import type { DirectSuite, Suite, SuiteOptions } from './suites/suite.js';
import type { SuiteResult } from './suites/suite-result.js';

/** A suite with its settings. */
export interface ChosenSuite {
  readonly suite: Suite | DirectSuite;
  readonly settings: Readonly<Record<string, string>>;
}

export interface EvaluateOptions extends Omit<SuiteOptions, 'settings' | 'onRefused'> {
  readonly suites: readonly ChosenSuite[];
  /** A Llama with its tokenizer to measure on the same items; null for none. */
  readonly source: { readonly name: string; readonly folder: string } | null;
  /** Where answers and results are written. */
  readonly out: string;
}

/** Collects refusals once each: items are made several times, and each of them would be refused again. */
function collectDistinctRefusals() {
  const seen = new Set<string>();
  const { add, ...refusals } = collectRefusals();
  return {
    ...refusals,
    onRefused(refusal: Refusal) {
      const key = `${refusal.path}:${refusal.line ?? ''}`;
      if (seen.has(key)) return;
      seen.add(key);
      add(refusal);
    },
  };
}

function refuseNothing({ groups, unspelled }: SuiteResult, suite: string, refused: readonly Refusal[]): void {
  if (groups.length > 0) return;
  const [first] = refused;
  if (unspelled > 0)
    throw new ByteifyError(`The suite ${suite} has no item that the source's tokens can spell.`, {
      hint: 'Evaluate without --against, or on other text.',
    });
  throw new ByteifyError(`There is nothing to measure with the suite ${suite}.`, {
    hint: first === undefined ? 'Pass files or folders with --data PATH.' : `${first.path}: ${first.reason}.`,
  });
}

type Digests = Readonly<Record<Who, string>>;

/** What a suite is given, and where its answers belong. */
async function prepare({ suite, settings }: ChosenSuite, options: EvaluateOptions, digests: Digests, parts: Part[]) {
  const refusals = collectDistinctRefusals();
  const suiteOptions: SuiteOptions = { ...options, settings, onRefused: refusals.onRefused };
  const items = await itemsDigest(suite, suiteOptions);
  const fileIn = (folder: string, who: Who) =>
    join(folder, 'answers', `${suite.name}-${who}-${answersKey(items, digests[who])}.jsonl`);
  const partsOf = (who: Who): PartAnswers[] =>
    parts.map((part) => ({ ...part, file: fileIn(partFolder(options.out, part), who) }));
  for (const who of ['model', 'source'] as const) for (const { file } of partsOf(who)) await mendOutcomeFile(file);
  const run: SuiteRun = { suite, options: suiteOptions, file: (who) => fileIn(options.out, who), parts: partsOf };
  return { ...run, refusals };
}

/** Locks folders, or none of them. @returns what unlocks them all */
async function lockFolders(folders: readonly string[]): Promise<() => Promise<void>> {
  const unlocks: (() => Promise<void>)[] = [];
  const unlockAll = async () => {
    for (const unlock of unlocks.splice(0)) await unlock();
  };
  try {
    for (const folder of folders) unlocks.push(await lockFolder(folder));
  } catch (error) {
    await unlockAll();
    throw error;
  }
  return unlockAll;
}

/** Who was measured, as results name them. */
const measured = (
  { source }: EvaluateOptions,
  opened: OpenedSource | null,
  digests: Readonly<Record<Who, string>>,
): Pick<ResultDocument, 'model' | 'source'> => ({
  model: { sha256: digests.model },
  source:
    source === null || opened === null
      ? null
      : { name: source.name, sha256: digests.source, quantised_types: [...opened.quantisedTypes] },
});

/** What could not be evaluated leaves no folder behind: one with answers is not removed. */
async function removeEmpty(...folders: readonly string[]): Promise<void> {
  for (const folder of folders) await rmdir(folder).catch(() => undefined);
}

/** Lets the models answer the suites, with the folder of answers locked. @returns what each suite found, as soon as it has */
async function* evaluated(options: EvaluateOptions) {
  const { dir, source, out, signal } = options;
  const { folder } = await resolveCheckpoint(dir);
  await makeFolder(out);
  const parts = await partsIn(out);
  const unlock = await lockFolders([out, ...parts.map((part) => partFolder(out, part))]);
  try {
    const digests = { model: await modelDigest(folder, signal), source: '' };
    if (source !== null) digests.source = await modelDigest(source.folder, signal);
    const opened = source === null ? null : await openSource(source.folder);
    const about = measured(options, opened, digests);
    const runs: Awaited<ReturnType<typeof prepare>>[] = [];
    for (const chosen of options.suites) runs.push(await prepare(chosen, options, digests, parts));
    const results = runSuites(runs, candidatesOf(folder, opened), (suite, suiteOptions) =>
      measureDirectly(folder, suite, suiteOptions, opened),
    );
    let found = 0;
    for await (const result of results) yield { run: runs[found++]!, result, about };
  } finally {
    await unlock();
    await removeEmpty(out);
  }
}

/**
 * Runs suites on the model, then on its source. The results of each suite are on disk as soon as the last of them has answered its items. What was
 * answered before, here or in parts, is not asked again. The engine must be started.
 * @throws UsageError for data that cannot be used. @throws ByteifyError if there is nothing to measure, a model cannot be read, or a part is
 * being answered. @throws the signal's reason
 */
export async function evaluateSuites(options: EvaluateOptions): Promise<ResultDocument[]> {
  const found: ResultDocument[] = [];
  for await (const { run, result, about } of evaluated(options)) {
    const { suite, options: suiteOptions, refusals } = run;
    refuseNothing(result, suite.name, refusals.listed);
    warnRefused(options.reporter, refusals.listed, { count: refusals.count() });
    const refused = refusals.listed.map(({ path, line, reason }) => ({
      path,
      ...(line !== undefined && { line }),
      reason,
    }));
    const document = resultDocument(suite, suiteOptions, result, {
      ...about,
      refused,
      refused_count: refusals.count(),
    });
    await writeFileAtomic(join(options.out, `${suite.name}.json`), `${JSON.stringify(document, null, 2)}\n`);
    found.push(document);
  }
  return found;
}

/**
 * Lets the models answer one part of the items of suites. There are results when `evaluateSuites` runs with the same options: it finds the answers.
 * Several processes can answer parts at the same time. The engine must be started.
 * @returns the folder of the answers
 * @throws UsageError for a suite that has no items to divide. @throws what `evaluateSuites` throws
 */
export async function evaluatePart(options: EvaluateOptions, part: Part): Promise<string> {
  const suites = options.suites.map(({ suite, settings }) => {
    if ('measure' in suite)
      throw new UsageError(`The suite ${suite.name} asks a model nothing, so there is nothing to divide.`, {
        hint: 'Run it without --shard.',
      });
    return { suite: partOfSuite(suite, part), settings };
  });
  const out = partFolder(options.out, part);
  try {
    for await (const _ of evaluated({ ...options, suites, out }));
    return out;
  } finally {
    await removeEmpty(dirname(out), options.out);
  }
}
