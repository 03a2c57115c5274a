import { describe, expect, it } from 'vitest';
import {
  type FrontMatter,
  frontMatterFaults,
  licenceNameOf,
  readCard,
  writeFrontMatter,
} from '../../src/release/front-matter.js';

const whole: FrontMatter = {
  license: 'apache-2.0',
  language: ['en'],
  library_name: 'transformers',
  pipeline_tag: 'text-generation',
  base_model: 'org/Some-Llama',
  base_model_relation: 'finetune',
  datasets: ['HuggingFaceFW/fineweb-edu', 'wikitext'],
  tags: ['blt'],
};

/** A front matter with one key changed; undefined omits it. */
const changed = (change: Record<string, unknown>) =>
  Object.fromEntries(Object.entries({ ...whole, ...change }).filter(([, value]) => value !== undefined));

describe('a front matter', () => {
  it.each([
    {},
    { language: undefined, datasets: undefined, base_model: undefined, base_model_relation: undefined },
    { language: 'en', base_model: ['a/b', 'c/d'], datasets: 'squad' },
    { language: ['code', 'multilingual', 'yue'] },
    { license: 'other', license_name: 'house-1.0', license_link: 'LICENSE' },
    { license: 'other', license_name: 'house', license_link: 'https://example.org/terms' },
    { license: 'llama3.3', thumbnail: 'https://example.org/x.png', 'model-index': [] },
  ])('is accepted: %j', (change) => {
    expect(frontMatterFaults(changed(change))).toEqual([]);
  });

  it.each([
    ['license', { license: undefined }, 'license is required.'],
    ['license', { license: 'llama-3' }, 'license must be an identifier that the hub knows.'],
    ['license', { license: ['mit'] }, 'license is required.'],
    ['license_name', { license: 'other', license_link: 'LICENSE' }, 'license_name is required if license is other.'],
    ['license_link', { license: 'other', license_name: 'x' }, 'license_link is required if license is other.'],
    [
      'license_link',
      { license: 'other', license_name: 'x', license_link: 'LICENSE.txt' },
      'license_link must be LICENSE, LICENSE.md or a URL.',
    ],
    [
      'license_name',
      { license: 'other', license_name: 'X Y', license_link: 'LICENSE' },
      'license_name must be an identifier in lowercase letters.',
    ],
    ['license_name', { license_name: 'x' }, 'license_name is only allowed if license is other.'],
    ['language', { language: ['English'] }, 'language.0 must be an ISO 639 code of two or three lowercase letters.'],
    [
      'language',
      { language: ['en', 'en-US'] },
      'language.1 must be an ISO 639 code of two or three lowercase letters.',
    ],
    ['language', { language: [false] }, 'language.0 must be an ISO 639 code of two or three lowercase letters.'],
    ['language', { language: [] }, 'language must not be empty.'],
    ['library_name', { library_name: undefined }, 'library_name must be transformers, which loads the model.'],
    ['library_name', { library_name: 'keras' }, 'library_name must be transformers, which loads the model.'],
    ['pipeline_tag', { pipeline_tag: 'chat' }, 'pipeline_tag must be text-generation, which is what the model does.'],
    ['base_model', { base_model: '/home/me/model' }, 'base_model.0 must be the id of a model on the hub (owner/name).'],
    ['base_model', { base_model: undefined }, 'base_model is required with base_model_relation.'],
    ['base_model_relation', { base_model_relation: undefined }, 'base_model_relation is required with base_model.'],
    [
      'base_model_relation',
      { base_model_relation: 'convert' },
      'base_model_relation must be finetune, adapter, merge or quantized.',
    ],
    [
      'datasets',
      { datasets: ['https://example.org'] },
      'datasets.0 must be the id of a data set on the hub (owner/name).',
    ],
    ['datasets', { datasets: { a: 1 } }, 'datasets must be a list.'],
    ['tags', { tags: [1] }, 'tags.0 must be text.'],
  ])('is refused by its key: %s of %j', (key, change, fault) => {
    expect(frontMatterFaults(changed(change))).toEqual([fault]);
    expect(fault.startsWith(key)).toBe(true);
  });

  it.each([undefined, null, 'text', 3, ['license']])('must be a mapping, not %j', (value) => {
    expect(frontMatterFaults(value)).toEqual(['The front matter must be a mapping of keys.']);
  });
});

describe('a card, split into front matter and body,', () => {
  it('is read as it was written', () => {
    const card = `${writeFrontMatter(whole)}\n# Title\n\n---\n\nText.\n`;
    expect(readCard(card)).toEqual({ front: whole, body: '\n# Title\n\n---\n\nText.\n' });
  });

  it('quotes what YAML 1.1 misreads: `no` for Norwegian, and a commit that looks like a number', () => {
    const written = writeFrontMatter({ ...whole, language: ['no', 'en'], tags: ['1e3', 'yes'] });
    expect(written).toContain('- "no"');
    expect(written).toContain('- "yes"');
    expect(readCard(written).front).toMatchObject({ language: ['no', 'en'], tags: ['1e3', 'yes'] });
  });

  it.each([
    ['', undefined],
    ['# Title\n', undefined],
    ['---\nlicense: [\n---\n', undefined],
    ['---\ntitle: *Great*\n---\n', undefined],
    ['---\r\nlicense: mit\r\n---\r\nText', { license: 'mit' }],
    ['---\nlicense: mit\n---', { license: 'mit' }],
  ])('the front matter of %j is %j', (card, front) => {
    expect(readCard(card).front).toEqual(front);
  });

  it.each([
    [{ license: 'mit' }, 'mit'],
    [{ license: 'other', license_name: 'house' }, 'house'],
    [{ license: 'other' }, 'other'],
    [{ license: 3 }, null],
    [null, null],
    [undefined, null],
    ['text', null],
  ])('the licence of %j is %j', (front, name) => {
    expect(licenceNameOf(front)).toBe(name);
  });
});
