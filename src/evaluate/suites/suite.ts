/** @module What a suite is: items, what to count of each answer, and the metrics that follow from the sums. */
import type { Refusal } from '../../data/index.js';
import type { LlamaConfig } from '../../llama/index.js';
import type { ResidentModel } from '../../model/index.js';
import type { SourceTokenizer } from '../../tokenizer/index.js';
import type { Reporter } from '../../ui/index.js';
import type { Item, Outcome } from './item.js';
import type { Counts, Metric } from './metric.js';
import type { SuiteResult } from './suite-result.js';

export interface SuiteOptions {
  /** The conversion or checkpoint that is evaluated. */
  readonly dir: string;
  /** Files and folders, as the user gave them. */
  readonly data: readonly string[];
  /** The key of a JSON record that contains its text. */
  readonly textKey: string;
  /** Maximum items of each task. */
  readonly limit: number;
  /** Maximum bytes of text per path. */
  readonly maxBytes: number;
  readonly seed: number;
  /** The suite's settings: its defaults, and what the user set. */
  readonly settings: Readonly<Record<string, string>>;
  /** Called for text that is left out. */
  readonly onRefused: (refusal: Refusal) => void;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface Suite {
  readonly name: string;
  /** One line in the help text. */
  readonly summary: string;
  /** What `--data` names; null if the suite makes its own items. */
  readonly data: string | null;
  /** Whether it works without `--data`. */
  readonly dataIsOptional?: true;
  /** The items in a fixed order, made anew at each call. @throws UsageError for data that cannot be used, naming the place */
  items(options: SuiteOptions): AsyncIterable<Item> | Iterable<Item>;
  count(item: Item, outcome: Outcome): Counts;
  readonly metrics: readonly Metric[];
  /** The names of the settings that it reads, with their defaults. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Those of them that name a file. */
  readonly fileSettings?: readonly string[];
  /** What the figures do not show. */
  readonly notes: readonly string[];
}

/** What a direct suite measures: the model, and of its source the config and the tokenizer. */
export interface MeasuredModels {
  readonly model: ResidentModel;
  readonly source: { readonly config: LlamaConfig; readonly tokenizer: SourceTokenizer } | null;
}

/** A suite that asks nothing of the model, but looks at how it reads text. */
export interface DirectSuite
  extends Pick<Suite, 'name' | 'summary' | 'data' | 'dataIsOptional' | 'settings' | 'fileSettings' | 'notes'> {
  measure(options: SuiteOptions, models: MeasuredModels): Promise<SuiteResult>;
}
