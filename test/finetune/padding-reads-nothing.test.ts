import { beforeAll, expect, it } from 'vitest';
import { startEngine, tf } from '../../src/engine/index.js';
import { ints, taken } from '../support/modes.js';
import { goldenStart, openTraining, packerOf, stepInput } from '../support/training.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

it('padding does not count as reading row 0 of the table, whose moments and value stay', async () => {
  const start = await goldenStart();
  const shape = { rows: 1, length: 48 };
  const training = await openTraining({ start, mode: 'graph', shape });
  const rows = await packerOf(shape.length, 9).next(20);
  const end = (row: (typeof rows)[number]) => row.chunks.at(-1)!.end;
  const inputs = rows
    .filter((row) => end(row) < shape.length)
    .map((row) => ({ end: end(row), input: stepInput(start.config, [[row]], shape.length) }));
  // A padded row in which nothing real reads row 0.
  const { input } = inputs.find(({ end, input: { whole } }) => {
    const { values } = whole[0]!.hashRows!;
    return !values.subarray(0, (end * values.length) / shape.length).includes(0);
  })!;
  const { value, first } = training.trainingState.table!;
  const [at, some] = [ints([0]), tf.fill([1, value.shape[1]!], 1e-3)];
  first.scatterRows(at, some); // as an earlier step left it
  const before = taken([value.gatherRows(at)])[0]!;
  await training.step(input, 1e-2);
  expect([...taken([value.gatherRows(at)])[0]!]).toEqual([...before]);
  tf.dispose([at, some]);
  training.close();
});
