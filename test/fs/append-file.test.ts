import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAppendFile } from '../../src/fs/append-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

/** Sizes around the buffer's 1 MiB: below, equal and above. */
const length = fc.oneof(fc.nat(40), fc.integer({ min: 2 ** 20 - 2, max: 2 ** 20 + 2 }));
const step = fc.oneof(
  fc.record({ append: length, byte: fc.nat(255) }),
  fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

it('a file contains what was appended and not truncated', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const path = join(folder(), 'file');
      const file = await createAppendFile(path);
      let wanted = Buffer.alloc(0);
      for (const action of steps) {
        if ('append' in action) {
          const bytes = Buffer.alloc(action.append, action.byte);
          await file.append(bytes);
          wanted = Buffer.concat([wanted, bytes]);
        } else {
          wanted = wanted.subarray(0, Math.floor(action.keep * wanted.length));
          file.truncate(wanted.length);
        }
        expect(file.length).toBe(wanted.length);
      }
      await file.close();
      expect(Buffer.compare(await readFile(path), wanted)).toBe(0);
    }),
    { numRuns: 40 },
  );
});
