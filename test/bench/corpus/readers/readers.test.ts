import { describe, expect, it } from 'vitest';
import { normalise } from '../../../../bench/corpus/normalise.mjs';
import { dictionaryEntries } from '../../../../bench/corpus/readers/dictionary.mjs';
import { htmlParagraphs, htmlText } from '../../../../bench/corpus/readers/html.mjs';
import { manText } from '../../../../bench/corpus/readers/man.mjs';
import { passages } from '../../../../bench/corpus/readers/passages.mjs';
import { podParagraphs } from '../../../../bench/corpus/readers/pod.mjs';

describe('html', () => {
  const PAGE = `<html><head><title>T</title></head><body><nav>Home</nav><div class="body"><h1>A title</h1>
    <p>Text with <a href="x.html">a link</a>.</p><pre>code()</pre><img src="x"></div><footer>Made by X</footer></body></html>`;

  it('gives the paragraphs of one element, without navigation', () => {
    expect(htmlText(PAGE)).toBe('A title\n\nText with a link.');
    expect(htmlText(PAGE, { code: true })).toBe('A title\n\nText with a link.\n\ncode()');
    expect(htmlText(`<p>Outside.</p>${PAGE}`, { main: 'div.body' })).toBe('A title\n\nText with a link.');
  });

  it('of bench:smollm2 keeps the whole page without code', () => {
    expect(htmlParagraphs(PAGE)).toBe('Home\n\n\nA title\n\nText with a link.\n\nMade by X');
  });
});

describe('pod', () => {
  it('keeps paragraphs and drops commands, code and formatting codes', () => {
    expect(podParagraphs('=head1 NAME\n\nUse B<this> or C<that>.\n\n    code();\n\nMore.')).toBe(
      'Use this or that.\n\nMore.',
    );
  });
});

describe('man', () => {
  it('keeps text, headings and words in other fonts', () => {
    const page = [
      '.\\" A comment',
      '.TH LS 1',
      '.SH NAME',
      'ls \\- list directory contents',
      '.SH DESCRIPTION',
      'List information about',
      'the \\fBFILE\\fPs.',
      '.PP',
      '.BR open (2),',
      '.B "two words"',
      '.TP',
      '\\fB\\-a\\fR, \\fB\\-\\-all\\fR',
      'do not ignore entries',
      '.TS',
      'l l.',
      'a\tb',
      '.TE',
      'Don\\(aqt \\(em end.',
    ].join('\n');
    expect(normalise(manText(page))).toBe(
      'NAME\n\nls - list directory contents\n\nDESCRIPTION\n\nList information about the FILEs.\n\nopen(2), two words\n\n' +
        "-a, --all do not ignore entries\n\nDon't - end.\n",
    );
  });
});

describe('dictionary', () => {
  it('separates entries and removes marks', () => {
    const text =
      'Blue \\Blue\\, v. t.\n   To make blue. See {Mineral}.\n   [1913 Webster]\n\nBluebeard\n   The hero of a legend.\n';
    expect(dictionaryEntries(text)).toEqual([
      'Blue, v. t.\n   To make blue. See Mineral.',
      'Bluebeard\n   The hero of a legend.',
    ]);
  });
});

describe('passages', () => {
  it('joins paragraphs until they have the size', () => {
    expect(passages(['aaa', 'bbb', 'ccc'], 5)).toEqual(['aaa\n\nbbb', 'ccc']);
    expect(passages([], 5)).toEqual([]);
  });
});
