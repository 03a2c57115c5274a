/** @module The documents on which suites measure text: the user's files, each path one kind of text, or the held-out text of a conversion. */
import { wholeDocuments } from '../../data/index.js';
import { heldOutTexts, kindsOf } from '../texts.js';
import type { SuiteOptions } from './suite.js';

export interface KindedDocument {
  /** Unique. */
  readonly id: string;
  readonly kind: string;
  readonly text: Uint8Array;
}

/** @throws UsageError for a path that does not exist, or if there is no held-out text */
export async function* documentsOf(options: SuiteOptions): AsyncGenerator<KindedDocument> {
  const { dir, data, textKey, maxBytes, onRefused, signal } = options;
  const sources =
    data.length === 0
      ? [{ kind: 'held out', documents: await heldOutTexts(dir, { maxBytes, textBytes: Number.POSITIVE_INFINITY }) }]
      : kindsOf(data).map(({ kind, path }) => ({ kind, path }));
  for (const source of sources) {
    const documents =
      'path' in source
        ? await wholeDocuments({ paths: [source.path], textKey, maxBytes, onRefused, signal })
        : source.documents;
    let number = 0;
    for await (const text of documents) yield { id: `${source.kind} ${++number}`, kind: source.kind, text };
  }
}
