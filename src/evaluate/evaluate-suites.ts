/** @module Evaluates a model, alone or beside its source, by suites, and writes what they found. */
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { collectRefusals, type Refusal, warnRefused } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { lockFolder, makeFolder, writeFileAtomic } from '../fs/index.js';
import { candidatesOf, measureDirectly, type OpenedSource, openSource } from './run/candidates.js';
import { answersKey, itemsDigest, modelDigest } from './run/identity.js';
import { type ResultDocument, resultDocument } from './run/result-document.js';
import { runSuites, type Who } from './run/run-suites.js';
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

/** What a suite is given, and where its answers belong. */
async function prepare(
  { suite, settings }: ChosenSuite,
  options: EvaluateOptions,
  digests: Readonly<Record<Who, string>>,
) {
  const refusals = collectDistinctRefusals();
  const suiteOptions: SuiteOptions = { ...options, settings, onRefused: refusals.onRefused };
  const items = await itemsDigest(suite, suiteOptions);
  const file = (who: Who) =>
    join(options.out, 'answers', `${suite.name}-${who}-${answersKey(items, digests[who])}.jsonl`);
  return { suite, options: suiteOptions, file, refusals };
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

/**
 * Runs suites on the model, then on its source. The results of each suite are on disk as soon as the last of them has answered its items. What was
 * answered before is not asked again. The engine must be started.
 * @throws UsageError for data that cannot be used. @throws ByteifyError if there is nothing to measure, or a model cannot be read.
 * @throws the signal's reason
 */
export async function evaluateSuites(options: EvaluateOptions): Promise<ResultDocument[]> {
  const { dir, source, out, signal, reporter } = options;
  const { folder } = await resolveCheckpoint(dir);
  await makeFolder(out);
  const unlock = await lockFolder(out);
  try {
    const digests = { model: await modelDigest(folder, signal), source: '' };
    if (source !== null) digests.source = await modelDigest(source.folder, signal);
    const opened = source === null ? null : await openSource(source.folder);
    const about = measured(options, opened, digests);
    const runs: Awaited<ReturnType<typeof prepare>>[] = [];
    for (const chosen of options.suites) runs.push(await prepare(chosen, options, digests));
    const results = runSuites(runs, candidatesOf(folder, opened), (suite, suiteOptions) =>
      measureDirectly(folder, suite, suiteOptions, opened),
    );
    const found: ResultDocument[] = [];
    for await (const result of results) {
      const { suite, options: suiteOptions, refusals } = runs[found.length]!;
      refuseNothing(result, suite.name, refusals.listed);
      warnRefused(reporter, refusals.listed, { count: refusals.count() });
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
      await writeFileAtomic(join(out, `${suite.name}.json`), `${JSON.stringify(document, null, 2)}\n`);
      found.push(document);
    }
    return found;
  } finally {
    await unlock();
    // What could not be evaluated leaves no folder behind: one with answers is not removed.
    await rmdir(out).catch(() => undefined);
  }
}
