import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildCorpus } from '../../../bench/corpus/build.mjs';
import { documentsOf } from '../../../bench/corpus/documents.mjs';
import type { Package, Split } from '../../../bench/corpus/packages.mjs';
import { summaryOf, tablesOf } from '../../../bench/corpus/summary.mjs';
import { sha256Of } from '../../../bench/digest.mjs';
import { valuesIn } from '../../../bench/json-lines.mjs';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

const entry = (name: string, split: Split): Package => ({
  name,
  registry: 'npm',
  licence: 'MIT',
  split,
  texts: [{ kind: 'prose', reader: 'text', in: ['guide'], endings: ['.md'] }],
});

/** English of some length about a subject, of which texts about another subject share little. */
const article = (subject: string) =>
  Array.from(
    { length: 20 },
    (_, i) => `The ${subject} has a part ${i}, and in ${subject} ${i} it is what you need.`,
  ).join('\n');

/** Stores a package as if it had been downloaded. @returns its pin */
function packed(name: string, files: Record<string, string>) {
  const source = join(folder(), 'source');
  const downloads = join(folder(), 'packages');
  for (const path of [join(source, 'package/guide'), downloads]) mkdirSync(path, { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(source, 'package/guide', path), text);
  const file = `${name}-1.0.0.tgz`;
  execFileSync('tar', ['-czf', join(downloads, file), '-C', source, 'package']);
  rmSync(source, { recursive: true });
  const path = join(downloads, file);
  return { version: '1.0.0', file, sha256: sha256Of(path), bytes: statSync(path).size };
}

const build = (packages: Package[], pins: Record<string, ReturnType<typeof packed>>) =>
  buildCorpus(packages, { work: folder(), out: join(folder(), 'corpus'), pins, log: () => {} });

describe('buildCorpus', () => {
  it('removes from training what is held out, and short and foreign documents', () => {
    const pins = {
      a: packed('a', {
        'copied.md': article('engine'),
        'own.md': article('garden'),
        'short.md': 'Contents',
        'german.md': 'Der Kern führt eine Liste aller Seiten, die gelesen wurden. '.repeat(20),
        'LICENSE.md': article('licence'),
      }),
      b: packed('b', { 'original.md': article('engine') }),
    };
    const { finish, ...built } = build([entry('a', 'train'), entry('b', 'held-out')], pins);
    const out = join(folder(), 'corpus');
    expect(existsSync(out)).toBe(false);
    finish(summaryOf(built));
    expect(valuesIn(join(out, 'train/prose/a.jsonl'))).toEqual([
      { text: `${article('garden')}\n`, source: { package: 'a', path: 'guide/own.md' } },
    ]);
    expect(valuesIn(join(out, 'held-out/prose/documents.jsonl'))).toHaveLength(1);
    const summary = JSON.parse(readFileSync(join(out, 'corpus.json'), 'utf8'));
    expect(summary.duplicates).toEqual({ 'of held-out': 1 });
    expect(summary.rejected).toEqual({ 'shorter than 500 characters': 1, 'not English': 1 });
    expect(summary.splits.train.prose).toEqual({ documents: 1, bytes: article('garden').length + 1 });
    expect(summary.overlap['held-out'].prose).toBe(0);
    expect(tablesOf(summary)).toContain('| a 1.0.0 | npm | MIT | train | 0.0 (1) |');
    expect(readdirSync(folder()).sort()).toEqual(['corpus', 'packages', 'texts']);
  });

  it('keeps the earlier corpus if a package gives no text', () => {
    const out = join(folder(), 'corpus');
    mkdirSync(out);
    writeFileSync(join(out, 'corpus.json'), '{}');
    expect(() => build([entry('a', 'train')], { a: packed('a', { 'short.md': 'Contents' }) })).toThrow(
      'a 1.0.0 gives no text; see bench/corpus/packages.mjs',
    );
    expect(readFileSync(join(out, 'corpus.json'), 'utf8')).toBe('{}');
  });
});

describe('documentsOf', () => {
  it('reads a package once, and again when other files are selected', () => {
    const { file, sha256 } = packed('a', { 'one.md': 'One.', 'two.txt': 'Two.' });
    const path = join(folder(), 'packages', file);
    const options = { file: path, sha256, work: folder() };
    const { texts, ...rest } = entry('a', 'train');
    const first = documentsOf({ ...rest, texts }, options);
    expect(first).toEqual([{ kind: 'prose', path: 'guide/one.md', text: 'One.\n' }]);
    const both = { ...rest, texts: [{ ...texts[0]!, endings: ['.md', '.txt'] }] };
    expect(documentsOf(both, options)).toHaveLength(2);
    rmSync(path);
    expect(documentsOf(both, options)).toHaveLength(2);
    expect(readdirSync(join(folder(), 'texts'))).toHaveLength(1);
  });
});
