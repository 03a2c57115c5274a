/** @module The documents on which suites measure text: the user's files, each path one kind of text, or openings of a conversion's held-out text. */
import { wholeDocuments } from '../../data/index.js';
import { characterStart } from '../../patching/index.js';
import { heldOutOpenings, kindsOf } from '../texts.js';
import type { SuiteOptions } from './suite.js';

export interface KindedDocument {
  /** Unique. */
  readonly id: string;
  readonly kind: string;
  /** Whether it is valid UTF-8. */
  readonly isText: boolean;
  readonly text: Uint8Array;
}

/** Held-out documents are long: of the same amount of text, their openings are more documents, and intervals are over documents. */
const OPENING_BYTES = 2048;

/** Each domain of the data is one kind; if there is one, it is called held out. */
async function* heldOutDocuments({ dir, maxBytes }: SuiteOptions, of: 'all' | 'text'): AsyncGenerator<KindedDocument> {
  const domains = await heldOutOpenings(dir, { maxBytes, openingBytes: OPENING_BYTES, domains: of });
  for (const { name, kind: domainKind, texts } of domains) {
    const kind = domains.length === 1 ? 'held out' : name;
    for (const [i, text] of texts.entries())
      yield { id: `${kind} ${i + 1}`, kind, isText: domainKind === 'text', text };
  }
}

/** @param of which domains of held-out data @throws UsageError for a path that does not exist, or if there is no held-out text */
export async function* documentsOf(options: SuiteOptions, of: 'all' | 'text' = 'all'): AsyncGenerator<KindedDocument> {
  const { data, textKey, maxBytes, onRefused, signal } = options;
  if (data.length === 0) return yield* heldOutDocuments(options, of);
  for (const { kind, path } of kindsOf(data)) {
    const documents = await wholeDocuments({ paths: [path], textKey, maxBytes, onRefused, signal });
    let number = 0;
    for await (const text of documents) yield { id: `${kind} ${++number}`, kind, isText: true, text };
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
export function* partsOf({ id, kind, isText, text }: KindedDocument): Generator<DocumentPart> {
  let number = 0;
  for (let from = 0; from < text.length || number === 0; ) {
    const size = from === 0 ? WINDOW_BYTES : WINDOW_BYTES - CONTEXT_BYTES;
    const to = from + size >= text.length ? text.length : characterStart(text, from + size);
    const before = text.subarray(characterStart(text, Math.max(0, from - CONTEXT_BYTES)), from);
    number++;
    yield {
      id: number === 1 ? id : `${id}, part ${number}`,
      unit: id,
      kind,
      isText,
      before,
      text: text.subarray(from, to),
    };
    from = to;
  }
}
