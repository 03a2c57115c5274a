import { describe, expect, it } from 'vitest';
import { BATCH_FIELDS, type BatchField, fieldShape, requireFields } from '../../src/patching/index.js';

const SIZES = { rows: 3, length: 8, patches: 5, tokens: 6 };

describe('the shape of a field', () => {
  it.each<[BatchField, number, number[]]>([
    ['ids', 24, [24]],
    ['documents', 24, [3, 8]],
    ['hashRows', 24 * 6, [144]],
    ['patchDocuments', 15, [3, 5]],
    ['sourceDocuments', 18, [3, 6]],
    ['sourceStates', 18 * 7, [18, 7]],
    ['targetBounds', 24 * 257, [24, 257]],
    ['chunkWeights', 15, [15]],
  ])('is computed for %s with %i values', (field, count, shape) => {
    expect(fieldShape(field, SIZES, count)).toEqual(shape);
  });

  it('must match the number of values, for every field', () => {
    for (const field of Object.keys(BATCH_FIELDS) as BatchField[]) {
      // Only hash tables accept any number.
      if (field === 'hashRows') continue;
      expect(() => fieldShape(field, SIZES, 1), field).toThrow(`1 values of ${field}`);
    }
    expect(() => fieldShape('sourceStates', SIZES, 19)).toThrow('[18, -1]');
  });
});

describe('required fields', () => {
  const batch = { ...SIZES, ids: new Int32Array(24), documents: null };

  it('are those of the batch, including null', () => {
    expect(requireFields(batch, ['ids', 'documents'])).toBe(batch);
  });

  it('are named in the error if the batch lacks them', () => {
    const partial: Parameters<typeof requireFields>[0] = batch;
    expect(() => requireFields(partial, ['ids', 'targetState', 'sourceStates'])).toThrow(
      'The batch lacks targetState, sourceStates',
    );
  });
});
