/** @module Measures the bits per byte of a conversion or a checkpoint, and of its source, on each kind of text. */
import { resolveCheckpoint } from '../conversion/index.js';
import { type Refusal, warnRefused, wholeDocuments } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { openLlamaModel, openResidentModel } from '../model/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import type { Reporter } from '../ui/index.js';
import { bitsOfDocuments, type DocumentBits } from './bits-of-documents.js';
import { openScorer } from './scorer.js';
import { type SourceBits, sourceBitsOfDocuments } from './source-bits-of-documents.js';
import { heldOutTexts, kindsOf } from './texts.js';

export interface EvaluateModelOptions {
  /** A conversion or a BLT checkpoint folder. */
  readonly dir: string;
  /** Paths; each is one kind of text, named after its last part. If empty, the conversion's held-out text is used. */
  readonly data: readonly string[];
  /** The key of a JSON record that contains its text. */
  readonly textKey: string;
  /** The folder of a Llama, with its tokenizer, to measure on the same text; null for none. */
  readonly source: string | null;
  /** Maximum bytes of text per kind. */
  readonly maxBytes: number;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface EvaluatedKind extends DocumentBits {
  readonly kind: string;
  /** The text that was left out, and why: at most the first 10,000. */
  readonly refused: readonly Refusal[];
  /** The number of all refusals. */
  readonly refusedCount: number;
  /** Null if no source is measured. */
  readonly source: SourceBits | null;
}

export interface Evaluation {
  readonly kinds: readonly EvaluatedKind[];
  /** The types of the source's quantised weights, the most frequent first; null if no source is measured. */
  readonly sourceQuantisedTypes: readonly string[] | null;
}

/** Only this many refusals are listed, because a wrong text key refuses every line of a corpus. */
const MAX_LISTED_REFUSALS = 10_000;

/** A kind of text, which can be read once. */
interface Kind {
  readonly kind: string;
  readonly documents: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly refused: readonly Refusal[];
  readonly refusedCount: () => number;
}

/** @throws UsageError for a path that does not exist, before anything is measured. */
async function kindsToMeasure({ dir, data, textKey, maxBytes, signal }: EvaluateModelOptions): Promise<Kind[]> {
  if (data.length === 0) {
    const documents = await heldOutTexts(dir, { maxBytes, textBytes: Number.POSITIVE_INFINITY });
    return [{ kind: 'held out', documents, refused: [], refusedCount: () => 0 }];
  }
  const kinds: Kind[] = [];
  for (const { kind, path } of kindsOf(data)) {
    const refused: Refusal[] = [];
    let count = 0;
    const onRefused = (refusal: Refusal) => {
      if (count++ < MAX_LISTED_REFUSALS) refused.push(refusal);
    };
    const documents = await wholeDocuments({ paths: [path], textKey, maxBytes, onRefused, signal });
    kinds.push({ kind, documents, refused, refusedCount: () => count });
  }
  return kinds;
}

async function measureModel(options: EvaluateModelOptions): Promise<Omit<EvaluatedKind, 'source'>[]> {
  const { reporter, signal } = options;
  const { folder } = await resolveCheckpoint(options.dir);
  const kinds = await kindsToMeasure(options);
  const model = await openResidentModel(folder, { weights: 'float32' });
  const scorer = openScorer(model);
  const found: Omit<EvaluatedKind, 'source'>[] = [];
  reporter.stage('Measuring');
  try {
    for (const { kind, documents, refused, refusedCount } of kinds) {
      const onBytes = (done: number) => reporter.progress({ done, unit: 'bytes', detail: kind });
      const bits = await bitsOfDocuments(scorer, documents, { signal, onBytes });
      found.push({ kind, ...bits, refused, refusedCount: refusedCount() });
      warnRefused(reporter, refused, { count: refusedCount() });
    }
  } finally {
    reporter.done();
    scorer.dispose();
    model.dispose();
  }
  return found;
}

/** Measures the source on the same text, in the same order of kinds. Nothing is reported as refused again. */
async function measureSource(source: string, options: EvaluateModelOptions) {
  const { reporter, signal } = options;
  const tokenizer = await loadTokenizer(source);
  const model = await openLlamaModel(source);
  const found: SourceBits[] = [];
  reporter.stage('Measuring the source');
  try {
    for (const { kind, documents } of await kindsToMeasure(options)) {
      const onBytes = (done: number) => reporter.progress({ done, unit: 'bytes', detail: kind });
      found.push(await sourceBitsOfDocuments(model, tokenizer, documents, { signal, onBytes }));
    }
  } finally {
    reporter.done();
    model.dispose();
  }
  return { found, quantisedTypes: model.quantisedTypes };
}

/**
 * Measures a model on each kind of text, and then its source, so that only one of them is in memory. The engine must be started.
 * @throws UsageError for a path that does not exist. @throws ByteifyError if there is no text at all, or the source cannot be read.
 * @throws the signal's reason
 */
export async function evaluateModel(options: EvaluateModelOptions): Promise<Evaluation> {
  const found = await measureModel(options);
  if (found.some(({ documents }) => documents > 0)) {
    const source = options.source === null ? null : await measureSource(options.source, options);
    return {
      kinds: found.map((kind, i) => ({ ...kind, source: source?.found[i] ?? null })),
      sourceQuantisedTypes: source?.quantisedTypes ?? null,
    };
  }
  const [first] = found.flatMap(({ refused }) => refused);
  throw new ByteifyError('There is no text to measure on.', {
    hint: first === undefined ? 'Pass files or folders with --data PATH.' : `${first.path}: ${first.reason}.`,
  });
}
