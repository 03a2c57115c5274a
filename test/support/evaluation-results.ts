/** Results of evaluation suites for tests. */
import type { ResultDocument } from '../../src/evaluate/index.js';

/** A suite's results: one group with one metric, 1.5 against 1.2. */
export function resultOf(suite: string, change: Partial<ResultDocument> = {}): ResultDocument {
  return {
    format: 1,
    byteify: '9.8.7',
    suite,
    model: { sha256: 'm'.repeat(64) },
    source: { name: 'source', sha256: 's'.repeat(64), quantised_types: [] },
    options: { data: [], limit: 100, max_bytes: 1_048_576, seed: 1, settings: {} },
    metrics: [
      { name: 'bits_per_byte', title: 'bits per byte', better: 'lower', decimals: 3, percent: false },
      { name: 'right', title: 'accuracy', better: 'higher', decimals: 1, percent: true },
    ],
    groups: [
      {
        group: 'prose | *short*',
        items: 1234,
        metrics: {
          bits_per_byte: {
            model: { value: 1.5, low: 1.4, high: 1.6 },
            source: { value: 1.2, low: 1.1, high: 1.3 },
            retention: { value: 0.8, low: 0.75, high: 0.85 },
          },
          right: {
            model: { value: 0.25, low: null, high: null },
            source: { value: null, low: null, high: null },
            retention: null,
          },
        },
      },
    ],
    item_count: 1234,
    items_sha256: 'i'.repeat(64),
    unspelled_count: 0,
    refused: [],
    refused_count: 0,
    notes: ['A note.'],
    ...change,
  };
}
