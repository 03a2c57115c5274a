import { expect, it } from 'vitest';
import { lossOver } from '../../../src/finetune/stages/objective.js';

it('lossOver names the fields that are missing from a batch before it computes anything', () => {
  const { fields, loss } = lossOver(['ids', 'targetState', 'ids'], () => expect.unreachable(), ['weights']);
  expect(fields).toEqual(['ids', 'targetState', 'weights']);
  const batch = { rows: 1, length: 1, patches: 0, tokens: 0 };
  expect(() => loss(new Map(), batch, {})).toThrow('The batch lacks ids, targetState');
});
