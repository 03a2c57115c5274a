/**
 * @module Runs suites: each model in turn answers the items of all of them, and the answers on disk become metrics. A model is opened once, and
 * only one is in memory at a time.
 */
import type { EvaluatedModel } from '../suites/item.js';
import type { DirectSuite, Suite, SuiteOptions } from '../suites/suite.js';
import type { SuiteResult } from '../suites/suite-result.js';
import { createEstimates } from './estimates.js';
import { openOutcomeFile, readOutcomes } from './outcome-file.js';
import { checkOrder, type PartAnswers, readParts } from './parts.js';

/** Who answers: a model, or its source. */
export type Who = 'model' | 'source';

/** A model to evaluate. */
export interface Candidate {
  readonly who: Who;
  open(): Promise<EvaluatedModel>;
}

/** A suite to run. */
export interface SuiteRun {
  readonly suite: Suite | DirectSuite;
  readonly options: SuiteOptions;
  /** Where the answers of each candidate are recorded. */
  file(who: Who): string;
  /** What other processes have answered of it, in parts. */
  parts(who: Who): readonly PartAnswers[];
}

/** A candidate that is opened when it is first needed. */
function opensOnce({ open }: Candidate) {
  let model: EvaluatedModel | null = null;
  return {
    async get(): Promise<EvaluatedModel> {
      model ??= await open();
      return model;
    },
    dispose: () => model?.dispose(),
  };
}

/** Makes all items once, so that data that cannot be used is refused before a model is asked anything. @returns their number */
async function countItems(suite: Suite, options: SuiteOptions): Promise<number> {
  let count = 0;
  for await (const _ of suite.items(options)) {
    options.signal.throwIfAborted();
    count++;
  }
  return count;
}

/** Lets a candidate answer the items that it has not answered yet. @throws the signal's reason, after the last complete answer */
async function answerItems(
  { suite, options, file, parts, total }: Omit<SuiteRun, 'suite'> & { suite: Suite; total: number },
  who: Who,
  model: () => Promise<EvaluatedModel>,
): Promise<void> {
  const { reporter, signal } = options;
  const path = file(who);
  const out = await openOutcomeFile(path);
  let done = 0;
  const known = readOutcomes(path);
  const elsewhere = readParts(parts(who));
  reporter.stage(`Evaluating the ${who}: ${suite.name}`);
  try {
    for await (const item of suite.items(options)) {
      signal.throwIfAborted();
      // Once all known answers are read, those that are appended now are not.
      const before = await known.next();
      const inPart = await elsewhere.answerTo(item);
      if (before.done !== true) checkOrder(before.value, item, path);
      else await out.append(inPart ?? { id: item.id, outcome: await (await model()).answer(item, signal) });
      reporter.progress({ done: ++done, total, unit: 'items' });
    }
  } finally {
    reporter.done();
    await known.return(undefined);
    await elsewhere.close();
    await out.close();
  }
}

/** The metrics of the recorded answers. */
async function estimate(suite: Suite, options: SuiteOptions, files: readonly string[]): Promise<SuiteResult> {
  const [own, others] = files.map((file) => readOutcomes(file));
  const estimates = createEstimates(suite.metrics);
  let unspelled = 0;
  for await (const item of suite.items(options)) {
    const model = (await own!.next()).value!;
    const source = others === undefined ? null : (await others.next()).value!;
    if (model.outcome === null || source?.outcome === null) {
      unspelled++;
      continue;
    }
    const counted = source === null ? null : suite.count(item, source.outcome!);
    const texts = [item.shared, item.prompt, ...item.continuations];
    estimates.add({ ...item, texts }, suite.count(item, model.outcome), counted);
  }
  return { ...estimates.results(), unspelled };
}

/**
 * Runs suites on a model and, if there is a second candidate, on its source. Answers that are on disk are not asked for again.
 * @param measure measures a suite that asks nothing
 * @returns the result of each run, in order, each as soon as the last candidate has answered it
 * @throws the signal's reason; what was answered until then is kept
 */
export async function* runSuites(
  runs: readonly SuiteRun[],
  candidates: readonly Candidate[],
  measure: (suite: DirectSuite, options: SuiteOptions) => Promise<SuiteResult>,
): AsyncGenerator<SuiteResult> {
  const totals: number[] = [];
  for (const { suite, options } of runs) totals.push('measure' in suite ? 0 : await countItems(suite, options));
  for (const candidate of candidates) {
    const { who } = candidate;
    const isLast = candidate === candidates.at(-1);
    const model = opensOnce(candidate);
    try {
      for (const [i, { suite, options, file, parts }] of runs.entries()) {
        if ('measure' in suite) {
          if (isLast) yield await measure(suite, options);
          continue;
        }
        await answerItems({ suite, options, file, parts, total: totals[i]! }, who, model.get);
        if (isLast)
          yield await estimate(
            suite,
            options,
            candidates.map((one) => file(one.who)),
          );
      }
    } finally {
      model.dispose();
    }
  }
}
