import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deriveLocalSizes, type SourceSizes } from '../../src/blt/index.js';
import { tableOf } from '../support/markdown.js';
import { REPOSITORY } from '../support/repository-texts.js';

const source = (hiddenSize: number, layers: number, heads: number): SourceSizes => ({
  hiddenSize,
  layers,
  heads,
  kvHeads: heads,
  intermediateSize: 4 * hiddenSize,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 500_000 },
});

/** Hidden size, layers and heads of the models that the page names. */
const SOURCES: Readonly<Record<string, SourceSizes>> = {
  'SmolLM2-135M': source(576, 30, 9),
  'Llama 3.2 1B': source(2048, 16, 32),
  'Llama 3.2 3B': source(3072, 28, 24),
  'Llama 3.1 8B': source(4096, 32, 32),
};

const page = readFileSync(join(REPOSITORY, 'docs/weight-mapping.md'), 'utf8');
const number = (cell: string | undefined) => Number(cell?.replaceAll(',', ''));

describe('the sizes in docs/weight-mapping.md', () => {
  it.each([
    ['Without a closed-form stage', false],
    ['With a closed-form stage', true],
  ])('are those of the rule: %s', (heading, closedForm) => {
    const rows = tableOf(page.split(`### ${heading}\n`)[1]!, 'source', 'k');
    expect(rows.map((row) => row.source)).toEqual(Object.keys(SOURCES));
    for (const row of rows) {
      expect(deriveLocalSizes(SOURCES[row.source!]!, { closedForm }), row.source).toMatchObject({
        crossAttnK: number(row.k),
        hiddenSize: number(row['local size']),
        heads: number(row.heads),
        encoderLayers: 1,
        decoderLayers: number(row['decoder layers']),
        intermediateSize: number(row['feed-forward']),
        hashVocab: number(row['rows per table']),
      });
    }
  });
});

it.each([16, 64, 576, 960, 1024, 2048, 2560, 3072, 3584, 4096, 8192])(
  'the sizes for a closed form have extra channels beside an embedding, and a projection, for a source of width %i',
  (width) => {
    const { crossAttnK, hiddenSize } = deriveLocalSizes(source(width, 8, 1), { closedForm: true });
    expect(hiddenSize).toBeGreaterThanOrEqual(width / crossAttnK + 18);
    expect(crossAttnK * hiddenSize).not.toBe(width);
  },
);
