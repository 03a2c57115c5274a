/** @module Suite `bpb`: bits per byte of text, by kind. A source's are those of its canonical tokens, an upper bound (arXiv 2410.09303). */
import { documentsOf, partsOf } from './documents.js';
import { ALL_ITEMS, NO_BYTES } from './item.js';
import { BITS_PER_BYTE, BYTES_PER_STEP } from './metric.js';
import type { Suite } from './suite.js';

export const bpb: Suite = {
  name: 'bpb',
  summary: 'bits per byte of text, by kind',
  data: 'text: files and folders, each one kind',
  dataIsOptional: true,
  async *items(options) {
    for await (const document of documentsOf(options))
      for (const { id, unit, kind, before, text } of partsOf(document)) {
        const question = { shared: NO_BYTES, prompt: before, continuations: [text], answer: 0, writing: null };
        yield { id, unit, groups: [kind, ALL_ITEMS], ...question };
      }
  },
  count: ({ continuations }, { nats, steps }) => ({ nats: nats[0]!, bytes: continuations[0]!.length, steps }),
  metrics: [BITS_PER_BYTE, BYTES_PER_STEP],
  notes: [
    'Long documents are scored in parts of 2,048 bytes, each after the 2,048 bytes before it; the first 4,096 bytes are one part.',
    'A source reads its tokenizer’s own segmentation of a text. Other segmentations spell the same bytes, so its bits per byte are an upper bound; those of a byte model are exact.',
  ],
};
