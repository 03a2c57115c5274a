import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HUB_LICENCES, isHubLicence } from '../../src/release/hub-licences.js';
import { CONCERNS, licenceOf } from '../../src/release/licences.js';
import {
  containsSentence,
  hasRequiredPrefix,
  LLAMA_LICENCES,
  withRequiredPrefix,
} from '../../src/release/llama-licences.js';

/** The union of identifiers that `@huggingface/hub` declares but does not export. */
function declaredByTheHub(): string[] {
  const types = new URL('../../node_modules/@huggingface/hub/dist/src/types/public.d.ts', import.meta.url);
  const union = /export type License = (.+);/.exec(readFileSync(types, 'utf8'))?.[1] ?? '';
  return [...union.matchAll(/"([^"]+)"/g)].map(([, id]) => id!);
}

describe('the hub’s identifiers', () => {
  it('include all that its own client knows', () => {
    const declared = declaredByTheHub();
    expect(declared.length).toBeGreaterThan(70);
    expect(declared.filter((id) => !isHubLicence(id))).toEqual([]);
  });

  it.each(Object.entries(HUB_LICENCES))('%s', (id, [kind, spdx]) => {
    expect(licenceOf(id)).toMatchObject({ id, kind });
    expect(id).toMatch(/^[a-z0-9][a-z0-9.+-]*$/);
    // The names of Creative Commons licences contain their restrictions.
    if (/^cc-by.*-nd/.test(id)) expect(kind).toBe('no-derivatives');
    else if (/-nc-/.test(id)) expect(kind).toBe('non-commercial');
    else if (/-sa-/.test(id)) expect(kind).toBe('share-alike');
    else if (/^cc-by-\d|^bsd|^mit$/.test(id)) expect(kind).toBe('attribution');
    if (spdx !== undefined) expect(spdx.toLowerCase().startsWith(id.split('-')[0]!.slice(0, 3))).toBe(true);
  });

  it('do not include the inherited keys of objects', () => {
    expect(['toString', 'constructor', '__proto__'].filter(isHubLicence)).toEqual([]);
    expect(licenceOf('constructor').kind).toBe('unfamiliar');
  });
});

describe('a licence’s name', () => {
  it.each([
    ['Apache-2.0', 'apache-2.0', 'attribution'],
    ['Apache 2.0', 'apache-2.0', 'attribution'],
    ['MIT', 'mit', 'attribution'],
    ['llama3.2', 'llama3.2', 'llama'],
    ['llama-3', 'llama3', 'llama'],
    ['Meta Llama 3 Community License', 'llama3', 'llama'],
    ['Llama 3.1 Community License Agreement', 'llama3.1', 'llama'],
    ['llama3.2_community', 'llama3.2', 'llama'],
    ['llama3_2', 'llama3.2', 'llama'],
    ['llama-3-1-community', 'llama3.1', 'llama'],
    ['Llama-2-Community-Licence', 'llama2', 'llama'],
    ['llama4', 'llama4', 'unfamiliar'],
    ['llama3.9', 'llama3.9', 'unfamiliar'],
    ['not-llama3.2', 'not-llama3.2', 'unfamiliar'],
    ['gemma', 'gemma', 'unfamiliar'],
    ['other', 'other', 'unfamiliar'],
    ['House Terms 1.0', 'house-terms-1.0', 'unfamiliar'],
    ['acme-noncommercial', 'acme-noncommercial', 'non-commercial'],
    ['acme-nc-1.0', 'acme-nc-1.0', 'non-commercial'],
    ['Acme Research License', 'acme-research-license', 'non-commercial'],
    ['nccl', 'nccl', 'unfamiliar'],
    ['unknown', 'unknown', 'unknown'],
    ['', 'unknown', 'unknown'],
    [' ', 'unknown', 'unknown'],
    [null, 'unknown', 'unknown'],
  ])('%j is %s, %s', (name, id, kind) => {
    expect(licenceOf(name)).toMatchObject({ id, kind });
  });

  it('has Meta’s terms exactly if it is one of theirs, and a concern whenever a person must read it', () => {
    for (const id of Object.keys(HUB_LICENCES)) {
      const { kind, llama, link } = licenceOf(id);
      expect(llama !== null, id).toBe(kind === 'llama');
      expect(CONCERNS[kind] === null, id).toBe(kind === 'llama' || kind === 'attribution');
      if (link !== null) expect(link).toMatch(/^https:\/\/\S+$/);
    }
  });
});

describe('Meta’s licences', () => {
  it.each(Object.entries(LLAMA_LICENCES))('name their own version everywhere: %s', (id, terms) => {
    const version = id.slice('llama'.length);
    expect(terms.notice).toMatch(new RegExp(`Llama ${version.replace('.', '\\.')} is licensed under`));
    expect(terms.title).toContain(`llama ${version} community`);
    expect(terms.name).toContain(`Llama ${version} `);
    if (version !== '2') {
      expect(terms.link).toContain(`/llama${version.replace('.', '_')}/`);
      expect(terms.usePolicy).toMatch(new RegExp(`/llama${version.replace('.', '_')}/use-policy$`));
    }
  });

  it.each([
    ['llama2', null, null],
    ['llama3', 'Built with Meta Llama 3', 'Llama 3'],
    ['llama3.1', 'Built with Llama', 'Llama'],
    ['llama3.2', 'Built with Llama', 'Llama'],
    ['llama3.3', 'Built with Llama', 'Llama'],
  ])('require a display and a name prefix: %s, %j, %j', (id, display, namePrefix) => {
    expect(LLAMA_LICENCES[id]).toMatchObject({ display, namePrefix });
  });

  it.each([
    ['llama3.2', 'Llama-3.2-1B-BLT', true],
    ['llama3.2', 'LlamaBLT', true],
    ['llama3.2', 'llama-3.2-1B', false],
    ['llama3.2', 'My-Llama', false],
    ['llama3', 'Llama-3-8B-BLT', true],
    ['llama3', 'Llama_3.2-x', true],
    ['llama3', 'Llama-8B', false],
    ['llama3', 'Meta-Llama-3-8B', false],
    ['llama2', 'anything', true],
  ])('check the prefix of a name: %s, %s, %s', (id, name, begins) => {
    const terms = LLAMA_LICENCES[id]!;
    expect(hasRequiredPrefix(name, terms)).toBe(begins);
    expect(hasRequiredPrefix(withRequiredPrefix(name, terms), terms)).toBe(true);
    if (begins) expect(withRequiredPrefix(name, terms)).toBe(name);
  });

  it('replace Meta’s own name prefix', () => {
    expect(withRequiredPrefix('Meta-Llama-3-8B-BLT', LLAMA_LICENCES.llama3!)).toBe('Llama-3-8B-BLT');
    expect(withRequiredPrefix('Hermes-3-BLT', LLAMA_LICENCES['llama3.1']!)).toBe('Llama-Hermes-3-BLT');
  });

  it('are found in a text however its lines are broken', () => {
    expect(containsSentence('a\n  b\tc', 'a b c')).toBe(true);
    expect(containsSentence('ab c', 'a b c')).toBe(false);
  });
});
