import { describe, expect, it } from 'vitest';
import { localPathIn, placeholderIn } from '../../src/release/placeholders.js';

describe('placeholderIn', () => {
  it.each([
    '[More Information Needed]',
    '[insert the licence here]',
    'TODO',
    'TBD',
    '{{ model_name }}',
    '<your name>',
    'OWNER/NAME',
    'Lorem ipsum',
  ])('finds %s', (text) => {
    expect(placeholderIn(`Some text, ${text}, and more.`)).not.toBeNull();
  });

  it.each([
    'a method to do it',
    'todos',
    '[a link](https://example.org)',
    '<br>',
    'Mastodon',
    '{ name: x }',
    'the owner/name of it',
  ])('ignores %s', (text) => {
    expect(placeholderIn(text)).toBeNull();
  });
});

describe('localPathIn', () => {
  it.each([
    '/home/me/model',
    'model: /data/llama/',
    '`/Users/me/x.gguf`',
    '"/tmp/x"',
    '(/mnt/a/b)',
    '~/models',
    '~me/models',
    './corpus',
    '../corpus/a.txt',
    'C:\\Users\\me',
    'd:/models',
    'file:///etc/x',
  ])('finds %s', (text) => {
    expect(localPathIn(text)).not.toBeNull();
  });

  it.each([
    'https://huggingface.co/org/name/blob/main/README.md',
    '[card](https://huggingface.co/org/name)',
    'org/name@abc123',
    'and/or, bytes/s, 1/2',
    'byteify score . text.txt',
    'ends with a slash: text/',
    'wait... and so on',
    'a</b>c/d',
    '~50 MB',
    'note: x',
  ])('ignores %s', (text) => {
    expect(localPathIn(text)).toBeNull();
  });
});
