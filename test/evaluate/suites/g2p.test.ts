import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editDistance } from '../../../src/evaluate/suites/edit-distance.js';
import { g2p } from '../../../src/evaluate/suites/g2p.js';
import { collected, itemOf, suiteOptions, textOf } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const WORDS = [
  'cat K AE1 T',
  'dog D AO1 G',
  'read R EH1 D',
  'read(2) R IY1 D',
  'sun S AH1 N',
  'tree T R IY1',
  'hat HH AE1 T',
  'pig P IH1 G',
];

async function dictionary(...lines: string[]): Promise<string> {
  const path = join(folder(), 'cmudict.dict');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}

const itemsOf = (path: string, limit = 10) => collected(g2p.items(suiteOptions({ data: [path], limit })));

describe('pronunciation', () => {
  it('is asked after five examples, with all pronunciations of a word as right answers', async () => {
    const items = await itemsOf(await dictionary(...WORDS, "'em AH0 M", 'aol EY1 OW2 EH2 L # name'));
    expect(items.length).toBe(3);
    for (const { id, shared, prompt, continuations } of items) {
      expect(textOf(shared).match(/Word: [a-z]+\nPronunciation: [A-Z ]+\n\n/g)!.length).toBe(5);
      expect(textOf(shared)).not.toContain(`Word: ${id}\n`);
      expect(textOf(prompt)).toBe(`Word: ${id}\nPronunciation:`);
      const expected = WORDS.filter((line) => line.replace(/\(\d\)/, '').startsWith(`${id} `));
      if (id !== 'aol')
        expect(continuations.map(textOf)).toEqual(
          expected.map((line) => ` ${line.split(' ').slice(1).join(' ').replaceAll(/\d/g, '')}`),
        );
    }
    expect(await itemsOf(await dictionary(...WORDS, "'em AH0 M", 'aol EY1 OW2 EH2 L # name'), 1)).toEqual(
      items.slice(0, 1),
    );
  });

  it('counts errors of phonemes against the nearest pronunciation', () => {
    const item = itemOf({ continuations: [' R EH D', ' R IY D'] });
    const counted = (written: string) => g2p.count(item, { nats: [2, 9], steps: 1, written: Buffer.from(written) });
    expect(counted(' R IY D')).toMatchObject({ exact_match: 1, edits: 0, phonemes: 3, nats: 2, bytes: 7 });
    expect(counted(' R IY T S')).toMatchObject({ exact_match: 0, edits: 2, phonemes: 3 });
    expect(editDistance([...'kitten'], [...'sitting'])).toBe(3);
    const rate = g2p.metrics.find(({ name }) => name === 'phoneme_error_rate')!;
    expect(rate.of({ edits: 3, phonemes: 6 })).toBe(0.5);
  });

  it('names what is no dictionary', async () => {
    await expect(itemsOf(await dictionary('cat K AE1 T', 'A line of prose.'))).rejects.toThrow('Line 2 of');
    await expect(itemsOf(await dictionary('cat K AE1 T'))).rejects.toThrow('has only 1 words');
    await expect(collected(g2p.items(suiteOptions()))).rejects.toThrow('reads one dictionary');
  });
});
