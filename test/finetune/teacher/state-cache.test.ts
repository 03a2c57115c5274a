import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStateCache } from '../../../src/finetune/teacher/state-cache.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const states = (count: number) => Float32Array.from({ length: count }, (_, i) => 1 / (i + 3));

describe('openStateCache', () => {
  it('returns stored states rounded like new ones, and removes its file on close', async () => {
    const path = join(folder(), 'states.bin');
    const cache = openStateCache({ path, maxBytes: 1000 });
    expect(existsSync(path)).toBe(false);
    await cache.store(7, states(4));
    await cache.store(3, states(6));
    expect([cache.has(7), cache.has(3), cache.has(0)]).toEqual([true, true, false]);
    expect(await cache.read(3)).toEqual(cache.rounded(states(6)));
    expect(await cache.read(7)).toEqual(cache.rounded(states(4)));
    expect(cache.rounded(states(4))).not.toEqual(states(4));
    await cache.close();
    expect(existsSync(path)).toBe(false);
  });

  it('stores no padding, no row twice, and no more than the limit', async () => {
    const cache = openStateCache({ path: join(folder(), 'few.bin'), maxBytes: 20 });
    await cache.store(-1, states(2));
    await cache.store(1, states(4));
    await cache.store(1, states(1));
    await cache.store(2, states(8));
    await cache.store(3, states(6));
    expect([-1, 1, 2, 3].map((number) => cache.has(number))).toEqual([false, true, false, true]);
    expect((await cache.read(1)).length).toBe(4);
    await cache.close();
  });
});
