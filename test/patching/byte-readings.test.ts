import { describe, expect, it } from 'vitest';
import { patchIds } from '../../src/blt/index.js';
import { locateModel } from '../../src/import/index.js';
import { byteReadings, openSourceReader, sourceChunks } from '../../src/patching/index.js';

describe('byte readings', () => {
  it('say what the state before each byte has read', async () => {
    const folder = (await locateModel('builtin:tiny-llama')).path;
    const reader = await openSourceReader(folder, { vocabSize: 1024, bosId: null, eosIds: [0] });
    const bytes = new TextEncoder().encode('the file the');
    // the| f~ile the|: the second cut is at the end of a token; the third, after the first byte of the next word, is late.
    const starts = Int32Array.from([0, 1, 4, 6, 13]);
    const late = (position: number) => position === 5;
    const chunks = sourceChunks({ bytes, count: 13, starts, late }, reader.tokensOf, reader.special);
    const readings = byteReadings(chunks, patchIds(starts, 13).encoder);
    expect(readings[0]).toBe('fresh');
    expect(readings[3]).toBe('fresh');
    expect(readings[4]).toBe('stale');
    expect(readings.slice(5)).toContain('unread');
    expect(readings.filter((reading) => reading !== 'inside').length).toBe(chunks.tokens.length - 1);
  });
});
