/** @module Measures the bits per byte of a conversion or a checkpoint on each kind of text. */
import { resolveCheckpoint } from '../conversion/index.js';
import { type Refusal, warnRefused, wholeDocuments } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { openResidentModel } from '../model/index.js';
import type { Reporter } from '../ui/index.js';
import { bitsOfDocuments, type DocumentBits } from './bits-of-documents.js';
import { openScorer } from './scorer.js';
import { heldOutTexts, kindsOf } from './texts.js';

export interface EvaluateModelOptions {
  /** A conversion or a BLT checkpoint folder. */
  readonly dir: string;
  /** Paths; each is one kind of text, named after its last part. If empty, the conversion's held-out text is used. */
  readonly data: readonly string[];
  /** The key of a JSON record that contains its text. */
  readonly textKey: string;
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

/**
 * Measures a model on each kind of text. The engine must be started.
 * @throws UsageError for a path that does not exist. @throws ByteifyError if there is no text at all. @throws the signal's reason
 */
export async function evaluateModel(options: EvaluateModelOptions): Promise<EvaluatedKind[]> {
  const { reporter, signal } = options;
  const { folder } = await resolveCheckpoint(options.dir);
  const kinds = await kindsToMeasure(options);
  const model = await openResidentModel(folder, { weights: 'float32' });
  const scorer = openScorer(model);
  const found: EvaluatedKind[] = [];
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
  if (found.some(({ documents }) => documents > 0)) return found;
  const [first] = found.flatMap(({ refused }) => refused);
  throw new ByteifyError('There is no text to measure on.', {
    hint: first === undefined ? 'Pass files or folders with --data PATH.' : `${first.path}: ${first.reason}.`,
  });
}
