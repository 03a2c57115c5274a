import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bleu, chrF, translationCounts } from '../../src/evaluate/suites/corpus-scores.js';
import { uniformOf } from '../../src/random.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const WORDS = [
  'der',
  'Hund',
  'läuft',
  '3,5',
  '1-2',
  '&quot;ja&quot;',
  '(oder)',
  'nicht.',
  'U.S.',
  '東京',
  '🎉',
  'x-y',
  "it's",
];

/** Corpora of random sentences, some of which share most words with their references. */
function corpora() {
  const uniform = uniformOf('translations');
  const sentence = () =>
    Array.from({ length: 1 + Math.floor(12 * uniform()) }, () => WORDS[Math.floor(uniform() * WORDS.length)]!);
  return Array.from({ length: 40 }, (_, i) => {
    const references = Array.from({ length: 1 + (i % 5) }, sentence);
    const written = references.map((words) =>
      words.map((word) => (uniform() < 0.2 ? '' : uniform() < 0.2 ? 'anders' : word)),
    );
    const text = (words: string[]) => words.filter((word) => word !== '').join(' ');
    return { written: written.map(text), references: references.map(text) };
  });
}

describe.skipIf(peersPython() === null)('sacrebleu', () => {
  it('computes the same chrF and BLEU from the sums over a corpus', async () => {
    const all = [
      ...corpora(),
      { written: ['', ''], references: ['ein Satz', 'noch einer'] },
      { written: ['A B C D E F.'], references: ['A B C D E F.'] },
    ];
    const path = join(folder(), 'corpora.json');
    await writeFile(path, JSON.stringify(all));
    const wanted = await askPeer<{ chrf: number; bleu: number }[]>('translation_scores.py', [path]);
    all.forEach(({ written, references }, i) => {
      const sums: Record<string, number> = {};
      for (const [at, text] of written.entries())
        for (const [name, count] of Object.entries(translationCounts(text, references[at]!)))
          sums[name] = (sums[name] ?? 0) + count;
      expect(chrF(sums)).toBeCloseTo(wanted[i]!.chrf, 6);
      expect(bleu(sums)).toBeCloseTo(wanted[i]!.bleu, 6);
    });
  });
});
