import { describe, expect, it } from 'vitest';
import { scriptOf } from '../../../src/evaluate/suites/patches.js';

describe('the script of a text', () => {
  it.each([
    ['A sentence with Привет in it.', 'Latin'],
    ['Это русский текст, with a word.', 'Cyrillic'],
    ['日本語のテキスト。', 'Japanese'],
    ['中文文本', 'Han'],
    ['한국어', 'Hangul'],
    ['हिन्दी', 'Devanagari'],
    ['12 + 34 = 46', 'other'],
    ['', 'other'],
  ])('of %j is %s', (text, script) => {
    expect(scriptOf(text)).toBe(script);
  });
});
