import { describe, expect, it } from 'vitest';
import { bltTensors, muonShare, readBltConfig, type StageShape } from '../../src/blt/index.js';
import { goldenPath } from '../support/golden.js';

const config = await readBltConfig(goldenPath('projection-gqa'));
/** Parameters of the projections, by name and independently of the table of roles. */
const projections = (pattern: RegExp) =>
  bltTensors(config)
    .filter(({ name }) => /(proj|projection)\.weight$/.test(name) && pattern.test(name))
    .map(({ shape: [rows, columns] }) => rows! * columns!);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('muonShare', () => {
  const local = /local_encoder|local_decoder|token_embedding_projection/;
  it.each<[string, StageShape, RegExp]>([
    ['the patcher', { kind: 'patcher' }, /patcher/],
    ['align-encoder', { kind: 'align-encoder', frozen: [] }, /local_encoder|token_embedding_projection/],
    ['join', { kind: 'join', frozen: [], losses: { prefix_kl: 0 } }, local],
    ['end-to-end', { kind: 'end-to-end', frozen: [], losses: { prefix_kl: 0 } }, /local|global/],
    [
      'end-to-end with a frozen part',
      { kind: 'end-to-end', frozen: ['decoder'], losses: { prefix_kl: 0 } },
      /local_encoder|global/,
    ],
    [
      'adapters',
      { kind: 'end-to-end', frozen: [], losses: { prefix_kl: 0 }, lora: { rank: 2, alpha: 2, targets: ['q_proj'] } },
      local,
    ],
  ])('counts the matrices that are trained: %s', (_name, stage, pattern) => {
    const { parameters, flopsPerStep } = muonShare(config, stage, 'muon');
    expect(parameters).toBe(sum(projections(pattern)));
    expect(flopsPerStep).toBeGreaterThan(0);
    expect(muonShare(config, stage, 'adamw')).toEqual({ parameters: 0, flopsPerStep: 0 });
  });

  it('is nothing where no gradient step is taken', () => {
    expect(muonShare(config, { kind: 'closed-form' }, 'muon').parameters).toBe(0);
  });
});
