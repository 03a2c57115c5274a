/** @module Evaluates a model, alone or beside its source, by suites, and writes what they found. */
import { join } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { type Refusal, warnRefused } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { lockFolder, makeFolder, writeFileAtomic } from '../fs/index.js';
import { openLlama } from '../llama/index.js';
import { openLlamaModel, openResidentModel } from '../model/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { openBltModel } from './readers/blt-model.js';
import { openSourceModel } from './readers/source-model.js';
import { answersKey, modelDigest } from './run/identity.js';
import { type ResultDocument, resultDocument } from './run/result-document.js';
import { type Candidate, runSuite } from './run/run-suite.js';
import type { EvaluatedModel } from './suites/item.js';
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

/** Only this many refusals are listed, because a wrong text key refuses every line of a corpus. */
const MOST_LISTED_REFUSALS = 10_000;

/** Collects refusals; items are made several times, and each of them would be refused again. */
function collectRefusals() {
  const found = new Map<string, Refusal>();
  let count = 0;
  const seen = new Set<string>();
  return {
    onRefused(refusal: Refusal) {
      const key = `${refusal.path}:${refusal.line ?? ''}`;
      if (seen.has(key)) return;
      seen.add(key);
      count++;
      if (found.size < MOST_LISTED_REFUSALS) found.set(key, refusal);
    },
    refused: () => [...found.values()],
    count: () => count,
  };
}

/** A model that releases its weights as well. */
const ownedBy = (opened: EvaluatedModel, weights: { dispose(): void }): EvaluatedModel => ({
  ...opened,
  dispose() {
    opened.dispose();
    weights.dispose();
  },
});

/** The model and, if there is one, its source, as suites ask them. */
function candidatesOf(folder: string, keys: readonly string[], suite: Suite, options: EvaluateOptions): Candidate[] {
  const { source, out } = options;
  const file = (who: string, key: string) => join(out, 'answers', `${suite.name}-${who}-${key}.jsonl`);
  const model: Candidate = {
    title: 'the model',
    file: file('model', keys[0]!),
    async open() {
      const resident = await openResidentModel(folder, { weights: 'float32' });
      const opened = openBltModel(resident);
      return ownedBy(opened, resident);
    },
  };
  if (source === null) return [model];
  const beside: Candidate = {
    title: 'the source',
    file: file('source', keys[1]!),
    async open() {
      const llama = await openLlamaModel(source.folder);
      const opened = openSourceModel(llama, await loadTokenizer(source.folder));
      return ownedBy(opened, llama);
    },
  };
  return [model, beside];
}

async function measureDirectly(folder: string, suite: DirectSuite, options: SuiteOptions, source: string | null) {
  const model = await openResidentModel(folder, { only: 'patcher', weights: 'float32' });
  options.reporter.stage(`Evaluating the model: ${suite.name}`);
  try {
    if (source === null) return await suite.measure(options, { model, source: null });
    const llama = await openLlama(source);
    await llama.close();
    const tokenizer = await loadTokenizer(source);
    return await suite.measure(options, { model, source: { config: llama.config, tokenizer } });
  } finally {
    options.reporter.done();
    model.dispose();
  }
}

/** The types of the source's quantised weights, the most frequent first. */
async function quantisedTypes(folder: string): Promise<string[]> {
  const llama = await openLlama(folder);
  await llama.close();
  return [...llama.quantisedTypes];
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

/**
 * Runs suites one after another; each one's results are on disk before the next begins. What was answered before is not asked again.
 * The engine must be started.
 * @throws UsageError for data that cannot be used. @throws ByteifyError if there is nothing to measure, or a model cannot be read.
 * @throws the signal's reason
 */
export async function evaluateSuites(options: EvaluateOptions): Promise<ResultDocument[]> {
  const { dir, source, out, signal, reporter } = options;
  const { folder } = await resolveCheckpoint(dir);
  await makeFolder(out);
  const unlock = await lockFolder(out);
  try {
    const digests = [await modelDigest(folder, signal)];
    if (source !== null) digests.push(await modelDigest(source.folder, signal));
    const types = source === null ? [] : await quantisedTypes(source.folder);
    const found: ResultDocument[] = [];
    for (const { suite, settings } of options.suites) {
      const refusals = collectRefusals();
      const suiteOptions: SuiteOptions = { ...options, settings, onRefused: refusals.onRefused };
      const keys = await Promise.all(digests.map((digest) => answersKey(suite.name, digest, suiteOptions)));
      const result =
        'measure' in suite
          ? await measureDirectly(folder, suite, suiteOptions, source?.folder ?? null)
          : await runSuite(suite, suiteOptions, candidatesOf(folder, keys, suite, options));
      refuseNothing(result, suite.name, refusals.refused());
      warnRefused(reporter, refusals.refused(), { count: refusals.count() });
      const document = resultDocument(suite, suiteOptions, result, {
        model: { sha256: digests[0]! },
        source: source && { name: source.name, sha256: digests[1]!, quantised_types: types },
        refused: refusals
          .refused()
          .map(({ path, line, reason }) => ({ path, ...(line !== undefined && { line }), reason })),
        refused_count: refusals.count(),
      });
      await writeFileAtomic(join(out, `${suite.name}.json`), `${JSON.stringify(document, null, 2)}\n`);
      found.push(document);
    }
    return found;
  } finally {
    await unlock();
  }
}
