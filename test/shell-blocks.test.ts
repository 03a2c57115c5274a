import { describe, expect, it } from 'vitest';
import { shellBlocks } from './support/shell-blocks.js';

const FENCE = '```';
const block = (language: string, text: string) => `${FENCE}${language}\n${text}\n${FENCE}`;

describe('the shell blocks of a document', () => {
  it('are found in order with their lines, and those of other languages are not', () => {
    const text = ['# Title', '', block('sh', 'a\nb'), '', block('ts', 'const a = 1;'), block('sh', 'c')].join('\n');
    expect(shellBlocks(text)).toEqual([
      { line: 4, commands: 'a\nb', notRun: null },
      { line: 12, commands: 'c', notRun: null },
    ]);
  });

  it('each say why they are not run', () => {
    const text = ['<!-- not run: needs an account -->', block('sh', 'a'), block('sh', 'b')].join('\n');
    expect(shellBlocks(text).map(({ notRun }) => notRun)).toEqual(['needs an account', null]);
  });

  it('may contain text that looks like the comment', () => {
    expect(shellBlocks(block('sh', '<!-- not run: x -->'))).toEqual([
      { line: 2, commands: '<!-- not run: x -->', notRun: null },
    ]);
  });

  it.each(['Prose.', block('ts', 'a')])('must follow the comment: %s does not', (between) => {
    const text = ['<!-- not run: needs an account -->', between, block('sh', 'a')].join('\n');
    expect(() => shellBlocks(text)).toThrow('line 2: "not run" is said of no shell block');
  });
});
