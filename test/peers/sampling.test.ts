import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BOE, BOS, BPE_DELIMITER, VOCAB_SIZE } from '../../src/blt/index.js';
import { nextProbabilities, type Sampling } from '../../src/generate/sampling.js';
import { uniformOf } from '../../src/random.js';
import { maxDifference } from '../support/golden.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const CASES = 300;

interface Case {
  readonly logits: (number | null)[];
  readonly present: number[];
  readonly sampling: Sampling;
}

/** Peaked and flat rows, with each setting active in half of them. */
function randomCase(draw: () => number): Case {
  const spread = 1 + 8 * draw();
  const logits = Array.from({ length: VOCAB_SIZE }, () => Math.fround(spread * (draw() + draw() + draw() - 1.5)));
  const some = <T>(turned: () => T, off: T): T => (draw() < 0.5 ? turned() : off);
  return {
    logits: logits.map((logit, id) => ([BOE, BOS, BPE_DELIMITER].includes(id) ? null : logit)),
    present: [BOS, ...Array.from({ length: 40 }, () => Math.floor(draw() * VOCAB_SIZE))],
    sampling: {
      temperature: some(() => 0.1 + 2 * draw(), 1),
      topK: some(() => 1 + Math.floor(draw() * VOCAB_SIZE), 0),
      topP: some(() => draw(), 1),
      minP: some(() => draw(), 0),
      repetitionPenalty: some(() => 0.5 + 1.5 * draw(), 1),
    },
  };
}

describe.skipIf(peersPython() === null)('transformers’ logits processors', () => {
  it('compute the same probabilities', async () => {
    const draw = uniformOf('sampling');
    const cases = Array.from({ length: CASES }, () => randomCase(draw));
    const file = join(folder(), 'cases.json');
    await writeFile(file, JSON.stringify(cases));
    const wanted = await askPeer<number[][]>('sampling.py', [file]);
    expect(wanted.length).toBe(CASES);
    cases.forEach(({ logits, present, sampling }, i) => {
      const row = Float32Array.from(logits, (logit) => logit ?? 50);
      const found = nextProbabilities(row, new Set(present), sampling);
      expect(maxDifference(found, wanted[i]!), JSON.stringify(sampling)).toBeLessThan(1e-9);
    });
  });
});
