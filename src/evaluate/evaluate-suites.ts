/** @module Evaluates a model, alone or beside its source, by suites, and writes what they found. */
import { join } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { type Refusal, warnRefused } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { lockFolder, makeFolder, writeFileAtomic } from '../fs/index.js';
import { type LlamaConfig, openLlama } from '../llama/index.js';
import { openLlamaModel, openResidentModel } from '../model/index.js';
import { loadTokenizer, type SourceTokenizer } from '../tokenizer/index.js';
import { openBltModel } from './readers/blt-model.js';
import { openSourceModel } from './readers/source-model.js';
import { answersKey, itemsDigest, modelDigest } from './run/identity.js';
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
  const seen = new Set<string>();
  const listed: Refusal[] = [];
  return {
    listed,
    onRefused(refusal: Refusal) {
      const key = `${refusal.path}:${refusal.line ?? ''}`;
      if (seen.has(key)) return;
      seen.add(key);
      if (listed.length < MOST_LISTED_REFUSALS) listed.push(refusal);
    },
    count: () => seen.size,
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

/** What is read of the source once, without its weights. */
interface OpenedSource {
  readonly folder: string;
  readonly config: LlamaConfig;
  readonly tokenizer: SourceTokenizer;
  /** The types of its quantised weights, the most frequent first. */
  readonly quantisedTypes: readonly string[];
}

async function openSource(folder: string): Promise<OpenedSource> {
  const llama = await openLlama(folder);
  await llama.close();
  return { folder, config: llama.config, tokenizer: await loadTokenizer(folder), quantisedTypes: llama.quantisedTypes };
}

/** The model and, if there is one, its source, as suites ask them. */
function candidatesOf(
  folder: string,
  source: OpenedSource | null,
  file: (who: 'model' | 'source') => string,
): Candidate[] {
  const model: Candidate = {
    title: 'the model',
    file: file('model'),
    async open() {
      const resident = await openResidentModel(folder, { weights: 'float32' });
      const opened = openBltModel(resident);
      return ownedBy(opened, resident);
    },
  };
  if (source === null) return [model];
  const beside: Candidate = {
    title: 'the source',
    file: file('source'),
    async open() {
      const llama = await openLlamaModel(source.folder);
      const opened = openSourceModel(llama, source.tokenizer);
      return ownedBy(opened, llama);
    },
  };
  return [model, beside];
}

async function measureDirectly(folder: string, suite: DirectSuite, options: SuiteOptions, source: OpenedSource | null) {
  const model = await openResidentModel(folder, { only: 'patcher', weights: 'float32' });
  options.reporter.stage(`Evaluating the model: ${suite.name}`);
  try {
    return await suite.measure(options, { model, source });
  } finally {
    options.reporter.done();
    model.dispose();
  }
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
    const digests = { model: await modelDigest(folder, signal), source: '' };
    if (source !== null) digests.source = await modelDigest(source.folder, signal);
    const opened = source === null ? null : await openSource(source.folder);
    const found: ResultDocument[] = [];
    for (const { suite, settings } of options.suites) {
      const refusals = collectRefusals();
      const suiteOptions: SuiteOptions = { ...options, settings, onRefused: refusals.onRefused };
      const items = await itemsDigest(suite.name, suiteOptions);
      const file = (who: 'model' | 'source') =>
        join(out, 'answers', `${suite.name}-${who}-${answersKey(items, digests[who])}.jsonl`);
      const result =
        'measure' in suite
          ? await measureDirectly(folder, suite, suiteOptions, opened)
          : await runSuite(suite, suiteOptions, candidatesOf(folder, opened, file));
      refuseNothing(result, suite.name, refusals.listed);
      warnRefused(reporter, refusals.listed, { count: refusals.count() });
      const document = resultDocument(suite, suiteOptions, result, {
        model: { sha256: digests.model },
        source:
          source === null || opened === null
            ? null
            : { name: source.name, sha256: digests.source, quantised_types: [...opened.quantisedTypes] },
        refused: refusals.listed.map(({ path, line, reason }) => ({
          path,
          ...(line !== undefined && { line }),
          reason,
        })),
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
