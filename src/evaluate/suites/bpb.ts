/** @module Suite `bpb`: bits per byte of text, by kind. A source's are those of its canonical tokens, an upper bound (arXiv 2410.09303). */
import { documentsOf } from './documents.js';
import { ALL_ITEMS, NO_BYTES } from './item.js';
import { BITS_PER_BYTE, BYTES_PER_STEP } from './metric.js';
import type { Suite } from './suite.js';

export const bpb: Suite = {
  name: 'bpb',
  summary: 'bits per byte of text, by kind',
  data: 'text: files and folders, each one kind',
  dataIsOptional: true,
  async *items(options) {
    for await (const { id, kind, text } of documentsOf(options)) {
      const question = { shared: NO_BYTES, prompt: NO_BYTES, continuations: [text], answer: 0, writing: null };
      yield { id, groups: [kind, ALL_ITEMS], ...question };
    }
  },
  count: ({ continuations }, { nats, steps }) => ({ nats: nats[0]!, bytes: continuations[0]!.length, steps }),
  metrics: [BITS_PER_BYTE, BYTES_PER_STEP],
  notes: [
    'A source reads its tokenizer’s own segmentation of a text. Other segmentations spell the same bytes, so its bits per byte are an upper bound; those of a byte model are exact.',
  ],
};
