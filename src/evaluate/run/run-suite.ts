/** @module Runs a suite: each model in turn answers all items, and the answers on disk become metrics. Only one model is in memory at a time. */
import { ByteifyError } from '../../errors.js';
import type { EvaluatedModel, Item } from '../suites/item.js';
import type { Suite, SuiteOptions } from '../suites/suite.js';
import type { SuiteResult } from '../suites/suite-result.js';
import { createEstimates } from './estimates.js';
import { openOutcomeFile, type RecordedOutcome, readOutcomes } from './outcome-file.js';

/** A model to evaluate. */
export interface Candidate {
  /** As progress names it: `the model`, `the source`. */
  readonly title: string;
  /** Where its answers are recorded. */
  readonly file: string;
  open(): Promise<EvaluatedModel>;
}

function checkOrder(recorded: RecordedOutcome, item: Item, file: string): void {
  if (recorded.id === item.id) return;
  throw new ByteifyError(`${file} contains the answer to "${recorded.id}" where that to "${item.id}" belongs.`, {
    hint: 'Delete the file; the evaluation then starts over.',
  });
}

/** Lets a candidate answer the items that it has not answered yet. @throws the signal's reason, after the last complete answer */
async function answerItems(suite: Suite, options: SuiteOptions, { title, file, open }: Candidate): Promise<void> {
  const { reporter, signal } = options;
  const out = await openOutcomeFile(file);
  let model: EvaluatedModel | null = null;
  let done = 0;
  const known = readOutcomes(file);
  reporter.stage(`Evaluating ${title}: ${suite.name}`);
  try {
    for await (const item of suite.items(options)) {
      signal.throwIfAborted();
      const before = model === null ? await known.next() : { done: true as const };
      if (before.done !== true) checkOrder(before.value, item, file);
      else {
        model ??= await open();
        await out.append({ id: item.id, outcome: await model.answer(item, signal) });
      }
      reporter.progress({ done: ++done, unit: 'items' });
    }
  } finally {
    reporter.done();
    model?.dispose();
    await known.return(undefined);
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
    estimates.add(item.id, item.groups, suite.count(item, model.outcome), counted);
  }
  return { groups: estimates.results(), unspelled };
}

/**
 * Runs a suite on a model and, if there is a second candidate, on its source. Answers that are on disk are not asked for again.
 * @throws the signal's reason; what was answered until then is kept
 */
export async function runSuite(
  suite: Suite,
  options: SuiteOptions,
  candidates: readonly Candidate[],
): Promise<SuiteResult> {
  for (const candidate of candidates) await answerItems(suite, options, candidate);
  return await estimate(
    suite,
    options,
    candidates.map(({ file }) => file),
  );
}
