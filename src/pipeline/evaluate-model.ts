/** @module Bits per byte of a conversion or a checkpoint, by kind of text. */
import { basename, extname } from 'node:path';
import { resolveCheckpoint } from '../conversion/index.js';
import { type Refusal, wholeDocuments } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { bitsOfDocuments, type DocumentBits } from '../evaluate/index.js';
import { openHeldBlt, openScorer, type Scorer } from '../model/index.js';
import type { Reporter } from '../ui/index.js';
import { heldOutTexts } from './calibration-texts.js';

export interface EvaluateModelOptions {
  /** A conversion or a BLT checkpoint folder. */
  readonly dir: string;
  /** Each is one kind of text, named by its last part; none takes the conversion's held-out text. */
  readonly data: readonly string[];
  /** Where a jsonl line holds its text. */
  readonly textKey: string;
  /** Of each kind. */
  readonly maxBytes: number;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface EvaluatedKind extends DocumentBits {
  readonly kind: string;
  /** What of the text was left out, and why. */
  readonly refused: readonly Refusal[];
}

async function evaluatePath(scorer: Scorer, path: string, options: EvaluateModelOptions): Promise<EvaluatedKind> {
  const { textKey, maxBytes, reporter, signal } = options;
  const kind = basename(path, extname(path));
  const refused: Refusal[] = [];
  const onRefused = (refusal: Refusal) => refused.push(refusal);
  const onBytes = (done: number) => reporter.progress({ done, unit: 'bytes', detail: kind });
  const documents = wholeDocuments({ paths: [path], textKey, maxBytes, onRefused });
  const bits = await bitsOfDocuments(scorer, documents, { signal, onBytes });
  if (bits.documents > 0) return { kind, ...bits, refused };
  const [first] = refused;
  throw new ByteifyError(`There is no text in ${path}.`, {
    hint: first === undefined ? 'Name files of text, or folders that hold some.' : `${first.path}: ${first.reason}.`,
  });
}

async function evaluateHeldOut(scorer: Scorer, options: EvaluateModelOptions): Promise<EvaluatedKind> {
  const { dir, maxBytes, reporter, signal } = options;
  const texts = await heldOutTexts(dir, { maxBytes, textBytes: Number.POSITIVE_INFINITY });
  const total = texts.reduce((sum, { length }) => sum + length, 0);
  const onBytes = (done: number) => reporter.progress({ done, total, unit: 'bytes' });
  return { kind: 'held out', ...(await bitsOfDocuments(scorer, texts, { signal, onBytes })), refused: [] };
}

/**
 * The engine must be started.
 * @throws UsageError when there is no such text, ByteifyError when none of it can be used.
 */
export async function evaluateModel(options: EvaluateModelOptions): Promise<EvaluatedKind[]> {
  const { folder } = await resolveCheckpoint(options.dir);
  const model = await openHeldBlt(folder, { weights: 'float32' });
  const scorer = openScorer(model);
  options.reporter.stage('Measuring');
  try {
    if (options.data.length === 0) return [await evaluateHeldOut(scorer, options)];
    const kinds: EvaluatedKind[] = [];
    for (const path of options.data) kinds.push(await evaluatePath(scorer, path, options));
    return kinds;
  } finally {
    options.reporter.done();
    scorer.dispose();
    model.dispose();
  }
}
