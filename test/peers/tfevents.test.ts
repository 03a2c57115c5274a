import { appendFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMetrics } from '../../src/finetune/loop/metrics-log.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

type Curves = Record<string, [step: number, value: number][]>;

describe.skipIf(peersPython() === null)('TensorBoard reads event files that', () => {
  const folder = temporaryFolder();

  it('contain every scalar of every step in 32 bits', async () => {
    const log = await openMetrics(folder(), 0);
    const steps = [0, 1, 127, 128, 300, 2 ** 31, 2 ** 40];
    for (const step of steps) await log.write(step, { 'loss/größe': step / 4 - 1, tiny: 1e-30 });
    await log.close();
    const curves = await askPeer<Curves>('read_events.py', [folder()]);
    expect(curves['loss/größe']).toEqual(steps.map((step) => [step, Math.fround(step / 4 - 1)]));
    expect(curves.tiny?.map(([, value]) => value)).toEqual(steps.map(() => expect.closeTo(1e-30, 36)));
  });

  it('were written in several sessions, as one curve with the last value of each step', async () => {
    const session = async (from: number, steps: readonly number[], loss: number) => {
      const log = await openMetrics(folder(), from);
      for (const step of steps) await log.write(step, { loss });
      await log.close();
      // Sessions of a test can begin within the same second, by which their files are named and ordered.
      const names = (await readdir(folder())).filter((name) => /tfevents\.\d{10}\./.test(name));
      for (const name of names)
        await rename(join(folder(), name), join(folder(), `events.out.tfevents.${from}.${loss}.done`));
    };
    await session(0, [0, 1, 2, 3], 10);
    await session(2, [3, 4, 5], 20);
    await session(4, [5], 30);
    const { loss } = await askPeer<Curves>('read_events.py', [folder()]);
    expect(loss).toEqual([
      [0, 10],
      [1, 10],
      [2, 10],
      [3, 20],
      [4, 20],
      [5, 30],
    ]);
  });

  it('were truncated by a killed process, up to the truncation', async () => {
    const log = await openMetrics(folder(), 0);
    for (const step of [1, 2]) await log.write(step, { loss: step });
    await log.close();
    const [name] = (await readdir(folder())).filter((file) => file.includes('tfevents'));
    await appendFile(join(folder(), name!), Uint8Array.of(40, 0, 0, 0));
    expect((await askPeer<Curves>('read_events.py', [folder()])).loss).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });
});
