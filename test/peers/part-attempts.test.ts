import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { preparedDocuments } from '../../src/prepare/index.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const CLI = path('../../dist/cli.js');
const folder = temporaryFolder();

interface Attempts {
  readonly [attempt: string]: unknown;
}

/** Python's `spark/prepare_parts.py`, without Spark. */
describe.skipIf(peersPython() === null)('attempts at one part', () => {
  it('give the part once, whole and with the right text, or a message', async () => {
    const out = join(folder(), 'prepared');
    const args = [path('../../spark'), out, process.execPath, CLI];
    const found = await askPeer<Attempts>('part_attempts.py', args);
    const counts = { documents: 101, exact_duplicates: 2, near_duplicates: 1, without_text: 2, not_utf8: 1 };
    expect(found).toEqual({
      lost: 'the worker is lost',
      'broken off': Array(2).fill('the input of the part broke off'),
      refused: expect.stringMatching(/ ended with 2: error: Unknown option '--no-such-option'\./),
      differs: 'part-00001-of-00002 has another plan; byteify and its patcher must be the same everywhere.',
      // None of these left anything.
      left: ['.attempts', 'prepare-plan.json'],
      together: Array(3).fill(counts),
      // byteify was not asked again.
      again: counts,
      other: `${out}/part-00001-of-00002 was prepared from other text; remove ${out} or use another --out.`,
      unchanged: true,
      parts: ['part-00001-of-00002', 'prepare-plan.json'],
    });
    await promisify(execFile)(process.execPath, [CLI, 'prepare', '--merge', '--out', out]);
    const texts: string[] = [];
    for await (const { bytes } of preparedDocuments(out)) texts.push(Buffer.from(bytes).toString());
    expect(texts).toEqual([...Array.from({ length: 100 }, (_, i) => `text ${i} `.repeat(20)), 'thrice']);
  });
});
