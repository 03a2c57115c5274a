import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { interleave } from '../../../bench/corpus/interleave.mjs';
import { overlaps } from '../../../bench/corpus/overlap.mjs';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const words = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');

/** Stores texts as a file of JSON lines. */
function store(path: string, texts: string[]) {
  mkdirSync(join(folder(), path, '..'), { recursive: true });
  writeFileSync(join(folder(), path), texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
}

describe('overlaps', () => {
  it('measures the share of runs of 13 words that training text of any kind has', () => {
    // 50 runs, of which the last 20 occur in a training document, where they stand beside other text.
    store('held-out/prose/a.jsonl', [words(0, 62)]);
    store('held-out/code/a.jsonl', [words(500, 600)]);
    store('train/technical/b.jsonl', [`${words(900, 950)} ${words(30, 62)} ${words(950, 990)}`]);
    const found = overlaps(join(folder(), 'held-out'), join(folder(), 'train'));
    expect(found).toEqual({ code: 0, prose: 20 / 50 });
  });
});

describe('interleave', () => {
  it('joins the documents of all files in an order that is the same every time', () => {
    const order = () => {
      store(
        'prose/a.jsonl',
        Array.from({ length: 20 }, (_, i) => `a${i}`),
      );
      store(
        'prose/b.jsonl',
        Array.from({ length: 20 }, (_, i) => `b${i}`),
      );
      interleave(join(folder(), 'prose'));
      expect(readdirSync(join(folder(), 'prose'))).toEqual(['documents.jsonl']);
      const lines = readFileSync(join(folder(), 'prose/documents.jsonl'), 'utf8').trim().split('\n');
      return lines.map((line) => JSON.parse(line).text as string);
    };
    const first = order();
    expect(first).toHaveLength(40);
    expect(new Set(first).size).toBe(40);
    expect(new Set(first.slice(0, 10).map(([name]) => name))).toEqual(new Set(['a', 'b']));
    writeFileSync(join(folder(), 'prose/documents.jsonl'), '');
    expect(order()).toEqual(first);
  });
});
