import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, gatherRows, type Precision, startEngine, tf } from '../../../src/engine/index.js';
import type { StepBatch } from '../../../src/finetune/batches/step-batch.js';
import { createSourceStates } from '../../../src/finetune/teacher/source-states.js';
import { llamaLayers, openLlamaModel, param } from '../../../src/model/index.js';
import { requireFields } from '../../../src/patching/index.js';
import { relativeDifference } from '../../support/modes.js';
import { openSourceReading, type SourceReading } from '../../support/source-reading.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-states-'));
const ROWS = 2;
const WIDTH = 128;
let engine: Engine;
let reading: SourceReading;
let batches: StepBatch[];

beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  reading = await openSourceReading(folder);
  batches = await reading.batches({ rows: 128, targets: ['states'], rowsPerStep: 3, microBatchRows: ROWS, count: 2 });
});
afterAll(async () => {
  await reading.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (name: string | null, maxBytes = 1e9, precision: Precision = 'float32') =>
  createSourceStates({
    config: reading.tiny.config,
    frozen: reading.variables,
    mode: 'graph',
    precision,
    cache: name === null ? null : { path: join(folder, name), maxBytes },
  });

const statesOf = ({ batches }: StepBatch) => batches.map(({ sourceStates }) => sourceStates!);

/** The states of a batch's tokens, without the padding. */
const readStates = (batch: StepBatch) =>
  statesOf(batch).flatMap((values, i) => {
    const { numbers, tokens } = batch.rows[i]!;
    const capacity = values.length / WIDTH / ROWS;
    return numbers.flatMap((number, row) =>
      number < 0 ? [] : [values.slice(row * capacity * WIDTH, (row * capacity + tokens[row]!) * WIDTH)],
    );
  });

describe('createSourceStates', () => {
  it('computes them in bfloat16 where the stage does', async () => {
    const [exact, rounded] = [open(null), open(null, 1e9, 'bfloat16')];
    const wanted = readStates(await exact.add(batches[0]!)).flatMap((values) => [...values]);
    const found = readStates(await rounded.add(batches[0]!)).flatMap((values) => [...values]);
    const difference = relativeDifference(found, wanted);
    expect(difference).toBeGreaterThan(1e-4);
    expect(difference).toBeLessThan(0.03);
    await exact.close();
    await rounded.close();
  });

  it('computes the states that the source itself has for each document', async () => {
    const llama = await openLlamaModel(reading.tiny.source);
    const states = open(null);
    const added = await states.add(batches[0]!);
    expect(added.computedShare).toBe(1);
    const { order } = reading.source.reader.vocabulary;
    let documentsSeen = 0;
    added.batches.forEach((batch, micro) => {
      const {
        rows,
        tokens,
        sourceIds: ids,
        sourceDocuments,
        sourceStates,
      } = requireFields(batch, ['sourceIds', 'sourceDocuments', 'sourceStates']);
      for (let row = 0; row < rows; row++) {
        const count = added.rows[micro]!.tokens[row]!;
        for (let from = row * tokens; from < row * tokens + count; ) {
          let to = from + 1;
          while (to < row * tokens + count && sourceDocuments[to] === sourceDocuments[from]) to++;
          const sourceIds = Int32Array.from(ids.slice(from, to), (rank) => order[rank]!);
          const wanted = tf.tidy(() => {
            const embedded = gatherRows(
              param(llama.params, 'model.embed_tokens.weight'),
              tf.tensor1d(sourceIds, 'int32'),
            );
            return llamaLayers(llama, embedded).dataSync() as Float32Array;
          });
          const found = sourceStates.subarray(from * WIDTH, to * WIDTH);
          expect(relativeDifference(found, wanted)).toBeLessThan(1e-3);
          documentsSeen++;
          from = to;
        }
      }
    });
    expect(documentsSeen).toBeGreaterThan(2);
    await states.close();
    llama.dispose();
  });

  it('returns bit-identical states from the cache, whose file is removed on close', async () => {
    const before = engine.liveHandles();
    const states = open('cached.bin');
    const first = await states.add(batches[0]!);
    const again = await states.add(batches[0]!);
    expect([first.computedShare, again.computedShare]).toEqual([1, 0]);
    expect(readStates(again)).toEqual(readStates(first));
    expect(existsSync(join(folder, 'cached.bin'))).toBe(true);
    await states.close();
    expect(existsSync(join(folder, 'cached.bin'))).toBe(false);
    expect(engine.liveHandles()).toBe(before);
  });

  it('respects the disk limit of the cache and computes all other states', async () => {
    const rowBytes = batches[0]!.rows.flatMap(({ tokens }) => tokens).map((tokens) => tokens * WIDTH * 2);
    // Enough for the two rows of the first micro-batch.
    const maxBytes = rowBytes[0]! + rowBytes[1]!;
    const states = open('few.bin', maxBytes);
    const [first, second] = [await states.add(batches[0]!), await states.add(batches[1]!)];
    expect([first.computedShare, second.computedShare]).toEqual([1, 1]);
    const again = await states.add(batches[0]!);
    expect(again.computedShare).toBeCloseTo(1 / 3, 9);
    expect(readStates(again)).toEqual(readStates(first));
    expect((await stat(join(folder, 'few.bin'))).size).toBe(maxBytes);
    await states.close();
  });
});
