/** @module The documents on which suites measure text: the user's files, each path one kind of text, or openings of a conversion's held-out text. */
import { wholeDocuments } from '../../data/index.js';
import { characterStart } from '../../patching/index.js';
import { heldOutOpenings, kindsOf } from '../texts.js';
import type { SuiteOptions } from './suite.js';

export interface KindedDocument {
  /** Unique. */
  readonly id: string;
  readonly kind: string;
  readonly text: Uint8Array;
}

/** Held-out documents are long: of the same amount of text, their openings are more documents, and intervals are over documents. */
const OPENING_BYTES = 2048;

/** @throws UsageError for a path that does not exist, or if there is no held-out text */
export async function* documentsOf(options: SuiteOptions): AsyncGenerator<KindedDocument> {
  const { dir, data, textKey, maxBytes, onRefused, signal } = options;
  const sources =
    data.length === 0
      ? [{ kind: 'held out', documents: await heldOutOpenings(dir, { maxBytes, openingBytes: OPENING_BYTES }) }]
      : kindsOf(data);
  for (const source of sources) {
    const documents =
      'path' in source
        ? await wholeDocuments({ paths: [source.path], textKey, maxBytes, onRefused, signal })
        : source.documents;
    let number = 0;
    for await (const text of documents) yield { id: `${source.kind} ${++number}`, kind: source.kind, text };
  }
}

/** A model scores at most this much text at once, */
const WINDOW_BYTES = 4096;
/** and of a longer document each next part after this much of what precedes it. */
const CONTEXT_BYTES = WINDOW_BYTES / 2;

export interface DocumentPart extends KindedDocument {
  /** The document's id. */
  readonly unit: string;
  /** What precedes the text in its document, as far as a model reads it. */
  readonly before: Uint8Array;
}

/**
 * The parts of a document that models score, one after another: a short document is one part. The same bytes precede each part for every model,
 * whatever it could read.
 */
export function* partsOf({ id, kind, text }: KindedDocument): Generator<DocumentPart> {
  let number = 0;
  for (let from = 0; from < text.length || number === 0; ) {
    const size = from === 0 ? WINDOW_BYTES : WINDOW_BYTES - CONTEXT_BYTES;
    const to = from + size >= text.length ? text.length : characterStart(text, from + size);
    const before = text.subarray(characterStart(text, Math.max(0, from - CONTEXT_BYTES)), from);
    number++;
    yield { id: number === 1 ? id : `${id}, part ${number}`, unit: id, kind, before, text: text.subarray(from, to) };
    from = to;
  }
}
