import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine, tf } from '../../src/engine/index.js';
import { batchInputs, batchTensors } from '../../src/model/index.js';
import type { Arrays, PartialBatch } from '../../src/patching/index.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const batch: PartialBatch<Arrays> = {
  ...{ rows: 2, length: 2, patches: 3, tokens: 0 },
  ids: Int32Array.of(1, 2, 3, 4),
  documents: null,
  weights: Float32Array.of(1, 0, 0.5, 1),
  patchDocuments: Int32Array.of(0, 0, 1, 0, 1, 1),
};

describe('a batch as tensors', () => {
  it('has the requested fields, with their types and shapes, and the sizes', () => {
    const before = engine.liveHandles();
    const { ids, documents, weights, patchDocuments, ...rest } = batchTensors(batch, [
      'ids',
      'documents',
      'weights',
      'patchDocuments',
    ]);
    expect(rest).toEqual({ rows: 2, length: 2, patches: 3, tokens: 0 });
    expect(documents).toBeNull();
    const seen = [ids, weights, patchDocuments!].map((tensor) => [tensor.dtype, tensor.shape, [...tensor.dataSync()]]);
    expect(seen).toEqual([
      ['int32', [4], [1, 2, 3, 4]],
      ['float32', [4], [1, 0, 0.5, 1]],
      ['int32', [2, 3], [0, 0, 1, 0, 1, 1]],
    ]);
    tf.dispose([ids, weights, patchDocuments!]);
    expect(engine.liveHandles()).toBe(before);
  });

  it('has one tensor per field, however often it is named, and can be made of other tensors', () => {
    const { tensors, batchOf } = batchInputs(batch, ['ids', 'documents', 'weights', 'ids']);
    expect(tensors.length).toBe(2);
    const others = [tf.tensor1d([9], 'int32'), tf.tensor1d([8])];
    expect(batchOf(others)).toMatchObject({ ids: others[0], weights: others[1], documents: null });
    tf.dispose([...tensors, ...others]);
  });

  it('has the same key as another if they can share a trace: equal sizes and fields', () => {
    const keyOf = (other: PartialBatch<Arrays>) => {
      const { key, tensors } = batchInputs(other, ['ids', 'documents']);
      tf.dispose([...tensors]);
      return key;
    };
    expect(keyOf({ ...batch, ids: Int32Array.of(4, 3, 2, 1) })).toBe(keyOf(batch));
    expect(keyOf({ ...batch, patches: 4 })).not.toBe(keyOf(batch));
    expect(keyOf({ ...batch, documents: new Int32Array(4) })).not.toBe(keyOf(batch));
  });

  it('is refused with the name of a missing field', () => {
    const before = engine.liveHandles();
    expect(() => batchTensors(batch, ['ids', 'sourceStates'])).toThrow('The batch lacks sourceStates');
    expect(engine.liveHandles()).toBe(before);
  });
});
