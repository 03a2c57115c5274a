import { describe, expect, it } from 'vitest';
import { CARD_SECTIONS, missingSections } from '../../src/release/card-sections.js';
import { localPathIn, placeholderIn } from '../../src/release/placeholders.js';

describe('a place to fill in', () => {
  it.each([
    '[More Information Needed]',
    '[insert the licence here]',
    'TODO',
    'TBD',
    '{{ model_name }}',
    '<your name>',
    'OWNER/NAME',
    'Lorem ipsum',
  ])('%s', (text) => {
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
  ])('is not: %s', (text) => {
    expect(placeholderIn(text)).toBeNull();
  });
});

describe('a path of a machine', () => {
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
  ])('%s', (text) => {
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
  ])('is not: %s', (text) => {
    expect(localPathIn(text)).toBeNull();
  });
});

describe('sections', () => {
  const card = CARD_SECTIONS.map((title) => `## ${title}\n\nText.\n`);

  it('that are all there are not missed', () => {
    expect(missingSections(`# Title\n\n${card.join('\n')}`)).toEqual([]);
  });

  it.each(CARD_SECTIONS.map((title, at) => [title, at] as const))('%s is missed, and when it is empty', (title, at) => {
    expect(missingSections(card.toSpliced(at, 1).join('\n'))).toEqual([title]);
    expect(missingSections(card.toSpliced(at, 1, `## ${title}\n`).join('\n'))).toEqual([title]);
  });
});
