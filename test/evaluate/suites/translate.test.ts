import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bleu, chrF, translationCounts } from '../../../src/evaluate/suites/corpus-scores.js';
import { translate } from '../../../src/evaluate/suites/translate.js';
import { collected, itemOf, suiteOptions, textOf } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

async function pair(left: string[], right: string[]): Promise<string[]> {
  const paths = [join(folder(), 'English.txt'), join(folder(), 'German.txt')];
  await writeFile(paths[0]!, `${left.join('\n')}\n`);
  await writeFile(paths[1]!, `${right.join('\n')}\n`);
  return paths;
}

const LEFT = ['one', 'two', 'three', 'four', 'five'];
const RIGHT = ['eins', 'zwei', 'drei', 'vier', 'fünf'];
const itemsOf = async (data: string[], settings: Record<string, string> = {}) =>
  collected(translate.items(suiteOptions({ data, settings: { ...translate.settings, ...settings } })));

describe('translation', () => {
  it('is asked sentence by sentence after three examples, under the names of the files or those given', async () => {
    const items = await itemsOf(await pair(LEFT, RIGHT));
    expect(items.map(({ continuations }) => textOf(continuations[0]!))).toEqual([' vier', ' fünf']);
    expect(textOf(items[0]!.shared)).toBe(
      'English: one\nGerman: eins\n\nEnglish: two\nGerman: zwei\n\nEnglish: three\nGerman: drei\n\n',
    );
    expect(textOf(items[1]!.prompt)).toBe('English: five\nGerman:');
    expect(items[0]!.groups).toEqual(['English to German']);
    const named = await itemsOf(await pair(LEFT, RIGHT), { from: 'A', to: 'B' });
    expect(textOf(named[1]!.prompt)).toBe('A: five\nB:');
  });

  it('names a line without its pair, and an empty one', async () => {
    const longer = await pair(LEFT, RIGHT.slice(0, 4));
    await expect(itemsOf(longer)).rejects.toThrow(`${longer[0]} has a line 5, but ${longer[1]} does not.`);
    const shorter = await pair(LEFT.slice(0, 4), RIGHT);
    await expect(itemsOf(shorter)).rejects.toThrow(`${shorter[1]} has a line 5, but ${shorter[0]} does not.`);
    const empty = await pair(['one', ''], ['eins', 'zwei']);
    await expect(itemsOf(empty)).rejects.toThrow(`Line 2 of ${empty[0]} is empty.`);
    // Also beyond the limit: none of the pairs can be trusted.
    const beyond = await pair(LEFT, RIGHT.slice(0, 4));
    const options = suiteOptions({ data: beyond, limit: 1, settings: translate.settings! });
    await expect(collected(translate.items(options))).rejects.toThrow('has a line 5');
    const few = await pair(LEFT.slice(0, 3), RIGHT.slice(0, 3));
    await expect(itemsOf(few)).rejects.toThrow(`${few[0]} has no line beyond the 3 that are given as examples.`);
    await expect(itemsOf([empty[0]!])).rejects.toThrow('reads two parallel files');
  });
});

it('compares translations without the space before them', () => {
  const item = itemOf({ continuations: [' Guten Morgen.'] });
  const counted = (written: string) => translate.count(item, { nats: [1], steps: 1, written: Buffer.from(written) });
  expect(counted(' Guten Morgen.')).toEqual(counted('Guten Morgen.'));
  expect(chrF(counted(' Guten Morgen.'))).toBeCloseTo(100);
});

describe('chrF and BLEU', () => {
  it('are 100 for equal texts and 0 for texts without anything in common', () => {
    const same = translationCounts('Ein ganzer Satz, mit Wörtern.', 'Ein ganzer Satz, mit Wörtern.');
    expect(chrF(same)).toBeCloseTo(100);
    expect(bleu(same)).toBeCloseTo(100);
    const other = translationCounts('xyz', 'abc def');
    expect([chrF(other), bleu(other)]).toEqual([0, 0]);
    const nothing = translationCounts('', 'abc def');
    expect([chrF(nothing), bleu(nothing)]).toEqual([0, 0]);
    expect([chrF({}), bleu({})]).toEqual([null, null]);
  });
});
