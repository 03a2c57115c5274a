import { describe, expect, it } from 'vitest';
import { loadsSourceLayers, needsSource, type StageShape } from '../../src/blt/index.js';

const endToEnd = (prefix_kl: number, rest: Partial<StageShape & { kind: 'end-to-end' }> = {}): StageShape => ({
  kind: 'end-to-end',
  frozen: [],
  losses: { prefix_kl },
  ...rest,
});
const join = (prefix_kl: number): StageShape => ({ kind: 'join', frozen: [], losses: { prefix_kl } });
const distill: StageShape = {
  kind: 'distill-decoder',
  frozen: [],
  losses: { prefix_kl: 1, chunk: 0.5, embedding: 1 },
};
const closedForm: StageShape = { kind: 'closed-form' };
const align: StageShape = { kind: 'align-encoder', frozen: [] };
const FROZEN = { frozen: ['global'] } as const;
const LORA = { lora: { rank: 1, alpha: 1, targets: ['q_proj'] } };

describe('the source’s layers are loaded', () => {
  it.each([
    ['by end-to-end that trains them and learns from the source', [endToEnd(1)]],
    ['by end-to-end after stages that leave them as they are', [closedForm, align, distill, join(1), endToEnd(1)]],
    ['by join after end-to-end', [endToEnd(0), join(1)]],
    ['by join after an end-to-end stage further back', [endToEnd(0), join(0), join(1)]],
    ['by join after adapters, which are merged', [endToEnd(0, LORA), join(1)]],
    ['by end-to-end with the layers frozen after end-to-end', [endToEnd(0), endToEnd(1, FROZEN)]],
    ['by end-to-end with adapters after adapters', [endToEnd(0, LORA), endToEnd(1, LORA)]],
    ['by distill-decoder after end-to-end', [endToEnd(0), distill]],
    ['by closed-form after end-to-end', [endToEnd(0), closedForm]],
  ] as [string, StageShape[]][])('%s', (_what, stages) => {
    expect(loadsSourceLayers(stages, stages.length - 1)).toBe(true);
  });

  it.each([
    ['by join', [closedForm, align, distill, join(1)]],
    ['by end-to-end with the layers frozen', [distill, endToEnd(1, FROZEN)]],
    ['by end-to-end with adapters, which are kept apart', [distill, endToEnd(1, LORA)]],
    ['by end-to-end after end-to-end with the layers frozen', [endToEnd(0, FROZEN), endToEnd(1, FROZEN)]],
    ['by a stage that does not learn from the source', [endToEnd(0), endToEnd(0), join(0)]],
    ['by align-encoder, which reads embeddings only', [endToEnd(0), align]],
  ] as [string, StageShape[]][])('not %s', (_what, stages) => {
    expect(loadsSourceLayers(stages, stages.length - 1)).toBe(false);
  });
});

it.each([
  [closedForm, true],
  [align, true],
  [distill, true],
  [join(0.5), true],
  [join(0), false],
  [endToEnd(0.5), true],
  [endToEnd(0), false],
  [{ kind: 'patcher' }, false],
] as [StageShape, boolean][])('%j needs the source: %s', (stage, needed) => {
  expect(needsSource(stage)).toBe(needed);
});
