/** @module Where a model cuts documents into patches, beside the tokens of its source: the counts of the suites `patches` and `cost`. */
import { isContinuation } from '../../data/index.js';
import { openSegmenter, type ResidentModel } from '../../model/index.js';
import { tokenEnds } from '../../patching/index.js';
import type { SourceTokenizer } from '../../tokenizer/index.js';
import { createEstimates } from '../run/estimates.js';
import { documentsOf, type KindedDocument } from './documents.js';
import type { Counts, Metric } from './metric.js';
import type { MeasuredModels, SuiteOptions } from './suite.js';
import type { SuiteResult } from './suite-result.js';

interface CountedDocument extends KindedDocument {
  readonly counts: Counts;
  /** The same quantities of the source's tokens; null without a source, or if its tokens do not spell the document. */
  readonly tokens: Counts | null;
}

/** Exclusive ends of the patches of a text, in bytes. The patch of BOS is left out. */
function patchEnds(patchLengths: readonly number[]): number[] {
  let end = 0;
  return patchLengths.slice(1).map((length) => {
    end += length;
    return end;
  });
}

/** Bytes that are no text have no characters. */
function characterCounts(text: Uint8Array, inner: readonly number[]): Counts {
  return {
    characters: text.reduce((sum, byte) => sum + (isContinuation(byte) ? 0 : 1), 0),
    cuts_inside_characters: inner.filter((end) => isContinuation(text[end]!)).length,
  };
}

function countsOf(
  { text, isText }: Pick<KindedDocument, 'text' | 'isText'>,
  ends: readonly number[],
  tokenEndsOf: Uint8Array | null,
): Counts {
  const inner = ends.filter((end) => end < text.length);
  const counts: Counts = {
    ...{ items: 1, bytes: text.length, steps: ends.length, cuts: inner.length },
    ...(isText && characterCounts(text, inner)),
  };
  if (tokenEndsOf === null) return counts;
  const shared = inner.filter((end) => tokenEndsOf[end - 1] === 1).length;
  return {
    ...counts,
    shared_cuts: shared,
    tokens: tokenEndsOf.reduce((sum, one) => sum + one, 0),
    token_cuts: tokenEndsOf.slice(0, -1).reduce((sum, one) => sum + one, 0),
  };
}

/** Segments the documents. Only the patcher runs. @param tokenizer the source's; null for none */
async function* countedDocuments(
  model: ResidentModel,
  tokenizer: SourceTokenizer | null,
  options: SuiteOptions,
): AsyncGenerator<CountedDocument> {
  const segmenter = openSegmenter(model);
  const { reporter, signal } = options;
  try {
    let bytes = 0;
    for await (const document of documentsOf(options)) {
      const { text, isText } = document;
      const { patchLengths } = await segmenter.segment(text, { signal });
      const found = tokenizer === null || !isText ? null : tokenEnds(text, false, tokenizer);
      const ends = found === null || found.known.includes(0) ? null : found.ends;
      bytes += text.length;
      reporter.progress({ done: bytes, unit: 'bytes' });
      const tokens =
        ends === null
          ? null
          : countsOf(
              document,
              [...ends.keys()].flatMap((at) => (ends[at] === 1 ? at + 1 : [])),
              null,
            );
      yield { ...document, counts: countsOf(document, patchEnds(patchLengths), ends), tokens };
    }
  } finally {
    segmenter.dispose();
  }
}

/** What a document counts to. */
interface DocumentCounts {
  readonly groups: readonly string[];
  readonly model: Counts;
  readonly source: Counts | null;
}

/** The metrics of all documents. Those that the source's tokens do not spell count for neither. */
export async function estimateDocuments(
  options: SuiteOptions,
  { model, source }: MeasuredModels,
  metrics: readonly Metric[],
  countsOf: (document: CountedDocument) => DocumentCounts,
): Promise<SuiteResult> {
  const estimates = createEstimates(metrics);
  let unspelled = 0;
  for await (const document of countedDocuments(model, source?.tokenizer ?? null, options)) {
    if (source !== null && document.tokens === null) {
      unspelled++;
      continue;
    }
    const counted = countsOf(document);
    const { id, text } = document;
    estimates.add({ id, groups: counted.groups, texts: [text] }, counted.model, counted.source);
  }
  return { ...estimates.results(), unspelled };
}
