import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEncoder, refuseTokenizer } from '../../src/tokenizer/index.js';
import { askPeer, peersPython } from '../support/peers.js';
import { TOKENIZER_KINDS } from '../support/tokenizer-kinds.js';
import { TEXTS } from '../support/tokenizer-texts.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-encode-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const WORDS = [
  'the ',
  'word',
  'wordy',
  ' word ',
  '<|im_start|>',
  '<|im_start|>user',
  ' <l>',
  '<r> ',
  '<special>',
  '<s>',
  '<unk>',
];
const CHARACTERS = [
  ' ',
  '  ',
  '\n',
  '\t',
  '▁',
  '<0x41>',
  '½',
  '٣',
  '\ufeff',
  '\u0085',
  '\u00a0',
  '\u3000',
  'é',
  'e\u0301',
  'ß',
  'ﬁ',
  '東',
  '🙂',
  'Σ',
  'İ',
  '東京',
  'AB',
  '\u200b',
  '\u{f0000}',
];
const ascii = fc.string({ unit: 'grapheme-ascii', maxLength: 12 });
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...WORDS, ...CHARACTERS),
      ascii,
      fc.constantFrom('Ünïcode', 'U\u0308nicode', "'LL", "don't", 'abcc', 'xx'),
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(''));

/** JSON with a line for each key. */
const jsonLines = (json: Record<string, unknown>): string =>
  `{\n${Object.entries(json)
    .map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join(',\n')}\n}\n`;

describe.skipIf(peersPython() === null)('token ids', () => {
  const sampled = [...TEXTS, ...fc.sample(texts, { seed: 14, numRuns: 400 })];
  it('equal the Rust library’s for every kind of tokenizer', async () => {
    const cases = Object.values(TOKENIZER_KINDS).map((tokenizer) => ({ tokenizer, texts: sampled }));
    const file = join(work, 'cases.json');
    writeFileSync(file, JSON.stringify(cases));
    const answers = await askPeer<({ ids: number[][] } | { error: string })[]>('encode.py', [file]);
    const refuse = refuseTokenizer('tokenizer.json');
    const differing = Object.entries(TOKENIZER_KINDS).flatMap<object>(([kind, tokenizer], i) => {
      const answer = answers[i]!;
      if ('error' in answer) return [{ kind, error: answer.error }];
      const { encode } = createEncoder(tokenizer, refuse);
      const at = sampled.findIndex((text, t) => encode(text).join() !== answer.ids[t]!.join());
      return at < 0 ? [] : [{ kind, text: sampled[at]!, ids: encode(sampled[at]!), expected: answer.ids[at] }];
    });
    expect(differing).toEqual([]);
    // What the unit tests compare with, which have no peer: -u writes it.
    const fixture = Object.fromEntries(
      Object.keys(TOKENIZER_KINDS).map((kind, i) => [
        kind,
        (answers[i] as { ids: number[][] }).ids.slice(0, TEXTS.length),
      ]),
    );
    await expect(jsonLines(fixture)).toMatchFileSnapshot('../fixtures/tokenizer/encoded.json');
  });
});
