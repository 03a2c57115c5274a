import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openMetrics } from '../../src/finetune/metrics-log.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-curve-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.skipIf(peersPython() === null)('TensorBoard', () => {
  it('reads the curve of a run', async () => {
    const log = await openMetrics(work, 0);
    await log.write(1, { loss: 2.5, learning_rate: 0.125 });
    await log.write(1000, { loss: -0.25 });
    await log.close();
    expect(await askPeer('read_events.py', [work])).toEqual({
      loss: [
        [1, 2.5],
        [1000, -0.25],
      ],
      learning_rate: [[1, 0.125]],
    });
  });
});
