/** @module What suites ask: a model and, beside it, its source. Weights are loaded when the first item is asked. */
import { type LlamaConfig, openLlama } from '../../llama/index.js';
import { openLlamaModel, openResidentModel } from '../../model/index.js';
import { loadTokenizer, type SourceTokenizer } from '../../tokenizer/index.js';
import { openBltModel } from '../readers/blt-model.js';
import { openSourceModel } from '../readers/source-model.js';
import type { EvaluatedModel } from '../suites/item.js';
import type { DirectSuite, SuiteOptions } from '../suites/suite.js';
import type { SuiteResult } from '../suites/suite-result.js';
import type { Candidate } from './run-suites.js';

/** A model that releases its weights as well. */
const ownedBy = (opened: EvaluatedModel, weights: { dispose(): void }): EvaluatedModel => ({
  ...opened,
  dispose() {
    opened.dispose();
    weights.dispose();
  },
});

/** What is read of the source once, without its weights. */
export interface OpenedSource {
  readonly folder: string;
  readonly config: LlamaConfig;
  readonly tokenizer: SourceTokenizer;
  /** The types of its quantised weights, the most frequent first. */
  readonly quantisedTypes: readonly string[];
}

export async function openSource(folder: string): Promise<OpenedSource> {
  const llama = await openLlama(folder);
  await llama.close();
  return { folder, config: llama.config, tokenizer: await loadTokenizer(folder), quantisedTypes: llama.quantisedTypes };
}

/** The model in a checkpoint folder and, if there is one, its source. */
export function candidatesOf(folder: string, source: OpenedSource | null): Candidate[] {
  const model: Candidate = {
    who: 'model',
    async open() {
      const resident = await openResidentModel(folder, { weights: 'float32' });
      return ownedBy(openBltModel(resident), resident);
    },
  };
  if (source === null) return [model];
  const beside: Candidate = {
    who: 'source',
    async open() {
      const llama = await openLlamaModel(source.folder);
      return ownedBy(openSourceModel(llama, source.tokenizer), llama);
    },
  };
  return [model, beside];
}

/** Measures a suite that asks nothing: only the patcher is loaded. */
export async function measureDirectly(
  folder: string,
  suite: DirectSuite,
  options: SuiteOptions,
  source: OpenedSource | null,
): Promise<SuiteResult> {
  const model = await openResidentModel(folder, { only: 'patcher', weights: 'float32' });
  options.reporter.stage(`Evaluating the model: ${suite.name}`);
  try {
    return await suite.measure(options, { model, source });
  } finally {
    options.reporter.done();
    model.dispose();
  }
}
