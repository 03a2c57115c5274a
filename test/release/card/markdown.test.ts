import { describe, expect, it } from 'vitest';
import { code, escapeText, fileLink, link, markdownTable, webAddress } from '../../../src/release/card/markdown.js';

describe('untrusted text', () => {
  it.each([
    ['<script>alert(1)</script>', '\\<script\\>alert(1)\\</script\\>'],
    ['<img src=x onerror=y>', '\\<img src=x onerror=y\\>'],
    ['&lt;b&gt;', '\\&lt;b\\&gt;'],
    ['[click](https://evil.test)', '\\[click\\](https\\://evil.test)'],
    ['![x](y)', '\\!\\[x\\](y)'],
    ['www.evil.test and me@evil.test', 'www\\.evil.test and me\\@evil.test'],
    ['*a* _b_ `c` ~d~ #e $f$', '\\*a\\* \\_b\\_ \\`c\\` \\~d\\~ \\#e \\$f\\$'],
    ['a\n\n# Heading\n---\n', 'a \\# Heading ---'],
    ['- a', '\\- a'],
    ['+ a - b', '\\+ a - b'],
    ['12. a', '12\\. a'],
    ['v1.2', 'v1.2'],
    ['back\\slash', 'back\\\\slash'],
    ['nul\u0000 and \u202Eturned', 'nul and turned'],
    ['FineWeb-Edu (2024), 文', 'FineWeb-Edu (2024), 文'],
  ])('is shown literally: %j', (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });

  it('can be a code span whatever backticks it contains', () => {
    expect(code('plain')).toBe('`plain`');
    expect(code('a`b')).toBe('``a`b``');
    expect(code('``')).toBe('``` `` ```');
    expect(code('a\n\n</code>')).toBe('`a </code>`');
  });
});

describe('a URL', () => {
  it.each([
    ['https://example.org/a_b', 'https://example.org/a_b'],
    [
      'https://example.org/a) [x](javascript:alert(1))',
      'https://example.org/a%29%20%5Bx%5D%28javascript:alert%281%29%29',
    ],
    ['https://example.org/<script>|`', 'https://example.org/%3Cscript%3E%7C%60'],
    ['https://example.org/\nnext', 'https://example.org/next'],
    ['javascript:alert(1)', null],
    ['file:///etc/passwd', null],
    ['data:text/html,x', null],
    ['https://user:secret@example.org/', null],
    ['example.org', null],
    ['https://', null],
  ])('is checked: %j', (text, address) => {
    expect(webAddress(text)).toBe(address);
  });

  it('becomes a link only if it is a web URL', () => {
    expect(link('a [b]', 'https://example.org/')).toBe('[a \\[b\\]](https://example.org/)');
    expect(link('<b>', 'javascript:alert(1)')).toBe('\\<b\\>');
    expect(link('a', null)).toBe('a');
  });

  it('of a file is unambiguous, whatever the file’s name', () => {
    expect(fileLink('LICENSE.txt')).toBe('[LICENSE.txt](LICENSE.txt)');
    expect(fileLink('LICENSE.a) ![x](y')).toBe('[LICENSE.a) \\!\\[x\\](y](LICENSE.a%29%20%21%5Bx%5D%28y)');
  });
});

it('a table preserves its cells, including code spans and escaped text', () => {
  expect(markdownTable(['a', 'b:'], [[escapeText('x|y'), code('p|q')]])).toBe(
    '| a | b |\n| --- | ---: |\n| x\\|y | `p\\|q` |',
  );
});
