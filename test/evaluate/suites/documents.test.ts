import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildStore, textDomain } from '../../../src/data/index.js';
import { documentsOf, partsOf } from '../../../src/evaluate/suites/documents.js';
import { utf8 } from '../../../src/evaluate/suites/item.js';
import { noise } from '../../../src/evaluate/suites/noise.js';
import { suiteOptions } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const parts = (text: Uint8Array) => [...partsOf({ id: 'one', kind: 'prose', isText: true, text })];

describe('the parts of a document', () => {
  it('are the document itself if it is short', () => {
    for (const length of [0, 1, 4096]) {
      const found = parts(new Uint8Array(length).fill(97));
      expect(found.map(({ id, unit, before, text }) => [id, unit, before.length, text.length])).toEqual([
        ['one', 'one', 0, length],
      ]);
    }
  });

  it('are scored after what precedes them', () => {
    const found = parts(new Uint8Array(9000).fill(97));
    expect(found.map(({ id, unit, before, text }) => [id, unit, before.length, text.length])).toEqual([
      ['one', 'one', 0, 4096],
      ['one, part 2', 'one', 2048, 2048],
      ['one, part 3', 'one', 2048, 2048],
      ['one, part 4', 'one', 2048, 808],
    ]);
  });

  it('are the whole text, cut between characters', () => {
    const characters = fc.constantFrom('a', 'é', '語', '😀');
    fc.assert(
      fc.property(fc.array(characters, { minLength: 1500, maxLength: 6000 }), (all) => {
        const text = utf8(all.join(''));
        const found = parts(text);
        expect(Buffer.concat(found.map((part) => part.text)).equals(text)).toBe(true);
        const decoder = new TextDecoder('utf-8', { fatal: true });
        for (const { before, text: own } of found) {
          expect(() => [before, own].map((part) => decoder.decode(part))).not.toThrow();
          expect(before.length + own.length).toBeLessThanOrEqual(4099);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('held-out documents', () => {
  const folder = temporaryFolder();
  const path = (...names: string[]) => join(folder(), ...names);
  const held = async (names: readonly ('text' | 'images')[]) => {
    for (const name of names) {
      await mkdir(path(name), { recursive: true });
      for (let i = 0; i < 40; i++)
        await writeFile(path(name, `${i}`), name === 'text' ? `Text ${i}` : Uint8Array.of(0xff, 0xfe, i));
    }
    const domains = names.map((name) => ({
      ...textDomain([path(name)], 4096),
      ...{ name, kind: name === 'text' ? ('text' as const) : ('bytes' as const) },
    }));
    await buildStore({ domains, out: path('data'), validationFraction: 0.3, seed: 1, textKey: 'text' });
    return suiteOptions({ dir: folder(), data: [] });
  };
  const kindsOf = async (documents: AsyncIterable<{ kind: string; isText: boolean }>) => {
    const kinds = new Map<string, boolean>();
    for await (const { kind, isText } of documents) kinds.set(kind, isText);
    return [...kinds];
  };

  it('are one kind, or one for each domain', async () => {
    expect(await kindsOf(documentsOf(await held(['text'])))).toEqual([['held out', true]]);
    expect(await kindsOf(documentsOf(await held(['text', 'images'])))).toEqual([
      ['text', true],
      ['images', false],
    ]);
  });

  it('get noise only if they are text', async () => {
    const options = await held(['text', 'images']);
    const texts: string[] = [];
    for await (const { continuations } of noise.items({ ...options, settings: noise.settings! }))
      texts.push(Buffer.from(continuations[0]!).toString());
    expect(texts.length).toBeGreaterThan(5);
    expect(texts.every((text) => /^Text \d+$/.test(text))).toBe(true);
  });
});
