import { describe, expect, it } from 'vitest';
import { withEvaluation } from '../../../src/release/index.js';
import { resultOf } from '../../support/evaluation-results.js';

const CARD = '---\ntags: []\n---\n# Model\n\n## Results\n\nA table.\n\n## Training data\n\nText.\n';

describe('the results of an evaluation in a card', () => {
  it('stand at the end of its results, with intervals', () => {
    const card = withEvaluation(CARD, [resultOf('bpb'), resultOf('choice', { source: null })]);
    const [before, after] = card.split('## Training data');
    expect(before!.startsWith('---\ntags: []\n---\n# Model\n\n## Results\n\nA table.\n\n<!-- evaluation')).toBe(true);
    expect(after).toBe('\n\nText.\n');
    expect(before).toContain('**`bpb`**');
    expect(before).toMatch(
      /\| prose \\\| \\\*short\\\* \| 1,234 \| bits per byte \| 1\.500 \(1\.400 to 1\.600\) \| 1\.200/,
    );
    expect(before).toContain('80.0 % (75.0 to 85.0)');
    expect(before).toContain('| accuracy | 25.0 % |');
    expect(before).toContain('A note.');
  });

  it('replace earlier ones, and leave the rest as it is', () => {
    const once = withEvaluation(CARD, [resultOf('bpb')]);
    const edited = once.replace('A table.', 'A table, edited.');
    const twice = withEvaluation(edited, [resultOf('cute')]);
    expect(twice).not.toContain('`bpb`');
    expect(twice).toBe(withEvaluation(CARD.replace('A table.', 'A table, edited.'), [resultOf('cute')]));
    expect(withEvaluation(once, [resultOf('bpb')])).toBe(once);
    expect(withEvaluation(once, [])).toBe(CARD);
  });

  it('stand at the end of a card without that heading', () => {
    const card = withEvaluation('# My own card\n', [resultOf('bpb')]);
    expect(card.startsWith('# My own card\n\n<!-- evaluation')).toBe(true);
    expect(withEvaluation(card, [resultOf('bpb')])).toBe(card);
  });
});
