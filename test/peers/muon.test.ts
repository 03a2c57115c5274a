import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createVariable, startEngine, tf, withPrecision } from '../../src/engine/index.js';
import { createParameterState, disposeParameterState } from '../../src/finetune/optimizers/adamw.js';
import { updateMuonParameter } from '../../src/finetune/optimizers/muon.js';
import { numbers, taken } from '../support/modes.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const [RATE, STEPS, WEIGHT_DECAY] = [0.02, 4, 0.1];

/** The Euclidean norm. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.hypot(...Array.from(a, (value, i) => value - b[i]!));

/** A matrix without small singular values. */
const wellConditioned = (rows: number, columns: number, salt: number): tf.Tensor =>
  tf.tidy(() => tf.add(numbers([rows, columns], salt), tf.mul(8, tf.eye(rows, columns))));

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

describe.skipIf(peersPython() === null)('torch.optim.Muon', () => {
  it.each([
    [32, 32, 'float32'],
    [48, 20, 'float32'],
    [20, 48, 'float32'],
    [48, 20, 'bfloat16'],
  ] as const)('updates a %d by %d matrix alike with products in %s', async (rows, columns, precision) => {
    const start = numbers([rows, columns], 1);
    const gradients = Array.from({ length: STEPS }, (_, i) => wellConditioned(rows, columns, 2 + i));
    const file = join(folder(), `${rows}-${precision}.json`);
    const question = {
      value: start.arraySync(),
      gradients: gradients.map((gradient) => gradient.arraySync()),
      rate: RATE,
      weightDecay: WEIGHT_DECAY,
    };
    await writeFile(file, JSON.stringify(question));
    const wanted = await askPeer<number[][]>('muon.py', [file]);
    const from = start.dataSync() as Float32Array;
    const group = { learningRateScale: 1, decay: true, optimizer: 'muon' as const };
    const slot = createParameterState('w', createVariable(start), group);
    const [learningRate, one] = [tf.scalar(RATE), tf.scalar(1)];
    const scalars = { learningRate, gradientScale: one, firstCorrection: one, secondCorrection: one };
    gradients.forEach((gradient, i) => {
      withPrecision(precision, () => updateMuonParameter(slot, gradient, scalars, { weightDecay: WEIGHT_DECAY }));
      const found = taken([slot.value.read()])[0]!;
      // Its Newton-Schulz steps are in bfloat16, which loses directions with small singular values. If ours are too, both lose some.
      expect(distance(found, wanted[i]!) / distance(found, from), `step ${i + 1}`).toBeLessThan(
        precision === 'float32' ? 0.05 : 0.1,
      );
    });
    disposeParameterState(slot);
    tf.dispose([start, ...gradients, learningRate, one]);
  });
});
