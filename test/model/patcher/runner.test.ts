import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { createPatcherRunner, openBlt, patcherOutput } from '../../../src/model/index.js';
import { byteBatch, withDocuments } from '../../../src/patching/index.js';
import { goldenPath, maxDifference } from '../../support/golden.js';
import { MODES } from '../../support/modes.js';
import { goldenStart, openTraining, packerOf, type Start } from '../../support/training.js';

let engine: Engine;
let start: Start;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  start = await goldenStart();
});

const LENGTH = 48;

describe('the patcher runner', () => {
  it.each(MODES)('gives the entropies of the whole model, with documents and padding: %s', async (mode) => {
    const model = await openBlt(goldenPath('plain/blt'));
    const training = await openTraining({ start, mode: 'eager' });
    const before = engine.liveHandles();
    const patcher = createPatcherRunner(model.config, training.trainingState.frozen, mode);
    const packer = packerOf(LENGTH);
    for (let i = 0; i < 2; i++) {
      const rows = await packer.next(2);
      expect(rows.some(({ documents }) => documents.length > 1)).toBe(true);
      const batch = byteBatch(rows);
      const wanted = patcherOutput(model.params, model.config, batch).entropies;
      expect(maxDifference((await patcher.run(withDocuments(batch))).entropies, wanted)).toBeLessThan(1e-4);
    }
    patcher.dispose();
    expect(engine.liveHandles(), 'handles are left').toBe(before);
    training.close();
    model.dispose();
  });
});
