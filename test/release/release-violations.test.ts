import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DataSource } from '../../src/recipe/index.js';
import { LLAMA_LICENCES } from '../../src/release/llama-licences.js';
import { releaseViolations } from '../../src/release/release-violations.js';
import { type FabricatedExport, fabricateExport, manifestOf, ODC_BY } from '../support/release.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

interface Case {
  readonly license: string | null;
  readonly files?: Readonly<Record<string, string>>;
  readonly dataSources?: readonly DataSource[];
  readonly repository?: string;
  readonly accepted?: string | null;
}

const LLAMA_FILES = {
  'LICENSE.txt': 'LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n\nIts text.\n',
  'USE_POLICY.md': '# Llama 3.2 Acceptable Use Policy\n',
};

const LLAMA: Case = { license: 'llama3.2', files: LLAMA_FILES, repository: 'me/Llama-3.2-1B-BLT' };
const APACHE: Case = { license: 'apache-2.0' };

async function exported({ license, files = {}, dataSources }: Case): Promise<FabricatedExport> {
  const manifest = manifestOf({ license, files: ['model.safetensors', ...Object.keys(files)] });
  return fabricateExport(folder(), { manifest, source: files, dataSources });
}

/** The violations of a case after its folder was changed. */
async function sentences(given: Case, change: (made: FabricatedExport) => Promise<void> = async () => {}) {
  const made = await exported(given);
  await change(made);
  const { repository = 'me/Some-BLT', accepted = null } = given;
  const question = { folder: made.folder, manifest: made.manifest, repository, acceptedLicense: accepted };
  const violations = await releaseViolations(question);
  for (const { sentence, hint } of violations) {
    expect(sentence).toMatch(/^([A-Z]|\w+\.\w+ ).*\.$/);
    expect(hint).not.toBe('');
  }
  return violations.map(({ sentence }) => sentence);
}

const edit =
  (name: string, from: string | RegExp, to: string) =>
  async ({ folder }: FabricatedExport): Promise<void> => {
    const before = await readFile(join(folder, name), 'utf8');
    const after = before.replaceAll(from instanceof RegExp ? new RegExp(from, 'g') : from, to);
    expect(after, `${from} is not in ${name}`).not.toBe(before);
    await writeFile(join(folder, name), after);
  };
const without =
  (name: string) =>
  ({ folder }: FabricatedExport) =>
    rm(join(folder, name));

describe('an unchanged export can be published', () => {
  it.each(Object.keys(LLAMA_LICENCES))('from a source under %s', async (license) => {
    const { title, namePrefix } = LLAMA_LICENCES[license]!;
    const files = { LICENSE: title.toUpperCase() };
    const repository = `me/${(namePrefix ?? 'x').replace(' ', '-')}-BLT`;
    expect(await sentences({ license, files, repository })).toEqual([]);
  });

  it.each(['apache-2.0', 'mit', 'bsd-3-clause', 'cc-by-4.0'])(
    'from a source under %s, whose text is linked',
    async (license) => {
      expect(await sentences({ license })).toEqual([]);
    },
  );

  it('from a source with its own terms, once they are acknowledged', async () => {
    const files = { LICENSE: 'House terms.', 'README.md': '---\nlicense: other\nlicense_name: House Terms\n---\n' };
    const house = { license: 'House Terms', files };
    expect(await sentences(house)).toEqual([
      'The source is under House Terms, which has terms that byteify does not know, so read them.',
    ]);
    expect(await sentences({ ...house, accepted: 'house-terms' })).toEqual([]);
  });
});

describe('a single violated requirement is reported alone:', () => {
  const twice = `${LLAMA_LICENCES['llama3.2']!.name}`;
  it.each<[string, Case, (made: FabricatedExport) => Promise<void>]>([
    ['The folder has no model card, README.md.', APACHE_WITH_TEXT(), without('README.md')],
    ['README.md does not begin with valid YAML front matter.', APACHE, edit('README.md', /^---\n/, '')],
    [
      'README.md: pipeline_tag must be text-generation, which is what the model does.',
      APACHE,
      edit('README.md', 'pipeline_tag: text-generation', 'pipeline_tag: chat'),
    ],
    ['README.md has no text under "Limits".', APACHE, edit('README.md', /## Limits\n[\s\S]*?(?=## )/, '')],
    [
      'README.md has no text under "Biases".',
      APACHE,
      edit('README.md', /(## Biases\n)[\s\S]*?(?=## )/, '## Biases\n\n'),
    ],
    [
      'README.md still contains a placeholder: [More Information Needed].',
      APACHE,
      edit('README.md', 'Biases were not measured.', '[More Information Needed]'),
    ],
    [
      'README.md contains a local path: /home/me/text.',
      APACHE,
      edit('README.md', 'Biases were not measured.', 'Trained on `/home/me/text`.'),
    ],
    [
      'recipe.yaml contains a local path: /home/me/llama.',
      APACHE,
      edit('recipe.yaml', /model: org.*/, 'model: /home/me/llama'),
    ],
    [
      'README.md: base_model must name the source, org/Some-Llama.',
      APACHE,
      edit('README.md', 'base_model: org/Some-Llama', 'base_model: org/Another'),
    ],
    [
      'The folder has no valid provenance.json, which says what the model was made from.',
      APACHE,
      without('provenance.json'),
    ],
    [
      'The folder has no valid provenance.json, which says what the model was made from.',
      APACHE,
      edit('provenance.json', '"format": 1', '"format": 2'),
    ],
    [
      'provenance.json names another source than the conversion.',
      APACHE,
      edit('provenance.json', '"abc123"', '"def456"'),
    ],
    ['The folder has no recipe.yaml, which is needed to reproduce the model.', APACHE, without('recipe.yaml')],
    [
      'README.md: license says mit, but the source is under apache-2.0.',
      APACHE,
      edit('README.md', 'license: apache-2.0', 'license: mit'),
    ],
    [
      'The folder neither contains nor links the text of Apache-2.0.',
      APACHE,
      edit('README.md', 'https://spdx.org/licenses/Apache-2.0.html', 'https://example.org'),
    ],
    [
      'The source has the licence file NOTICE, but the folder lacks it.',
      { ...APACHE, files: { NOTICE: 'Ours.' } },
      without('NOTICE'),
    ],
    ['The source has the licence file LICENSE.txt, but the folder lacks it.', LLAMA, without('LICENSE.txt')],
    ['The source has the licence file USE_POLICY.md, but the folder lacks it.', LLAMA, without('USE_POLICY.md')],
    [`The folder has no copy of the ${twice}, which requires one.`, LLAMA, edit('LICENSE.txt', '3.2', '3.1')],
    [`The folder has no copy of the ${twice}, which requires one.`, { ...LLAMA, files: {} }, async () => {}],
    [`No NOTICE file in the folder contains the attribution that the ${twice} requires.`, LLAMA, without('NOTICE')],
    [
      `No NOTICE file in the folder contains the attribution that the ${twice} requires.`,
      LLAMA,
      edit('NOTICE', '3.2', '3.1'),
    ],
    [
      `README.md does not say "Built with Llama", as the ${twice} requires.`,
      LLAMA,
      edit('README.md', 'Built with Llama', 'Built'),
    ],
    [
      `README.md does not link the acceptable use policy, which is part of the ${twice}.`,
      LLAMA,
      edit('README.md', '/use-policy', '/'),
    ],
    [
      `The ${twice} requires a name that begins with "Llama", but "My-BLT" does not.`,
      { ...LLAMA, repository: 'me/My-BLT' },
      async () => {},
    ],
    ['The source and the licence of the training text are not stated.', { ...APACHE, dataSources: [] }, async () => {}],
  ])('%s', async (sentence, given, change) => {
    expect(await sentences(given, change)).toEqual([sentence]);
  });
});

/** With the licence's text beside the card, so that no link is needed. */
function APACHE_WITH_TEXT(): Case {
  return { ...APACHE, files: { LICENSE: 'Apache License' } };
}

describe('licences that must be acknowledged', () => {
  const source = (license: string | null, sentence: string, id: string) => [license, sentence, id] as const;
  it.each([
    source('cc-by-nc-4.0', 'The source is under CC-BY-NC-4.0, which does not allow commercial use.', 'cc-by-nc-4.0'),
    source(
      'cc-by-nd-4.0',
      'The source is under CC-BY-ND-4.0, which does not allow modified copies to be distributed.',
      'cc-by-nd-4.0',
    ),
    source(
      'cc-by-sa-4.0',
      'The source is under CC-BY-SA-4.0, which requires derived models to be distributed under the same terms.',
      'cc-by-sa-4.0',
    ),
    source('gemma', 'The source is under gemma, which has terms that byteify does not know, so read them.', 'gemma'),
    source(
      'other',
      'The source is under a licence of its own, which has terms that byteify does not know, so read them.',
      'other',
    ),
    source(
      null,
      'The licence of the source is not known, so nothing says that derived models may be distributed.',
      'unknown',
    ),
  ])('%s of the source, and nothing else acknowledges it', async (license, sentence, id) => {
    expect(await sentences({ license })).toEqual([sentence]);
    expect(await sentences({ license, accepted: 'mit' })).toEqual([sentence]);
    expect(await sentences({ license, accepted: '' })).toEqual([sentence]);
    expect(await sentences({ license, accepted: id })).toEqual([]);
    expect(await sentences({ license, accepted: `mit, ${id.toUpperCase()}` })).toEqual([]);
  });

  it.each([
    ['cc-by-nc-4.0', 'The training text "FineWeb-Edu" is under CC-BY-NC-4.0, which does not allow commercial use.'],
    [
      'cc-by-sa-4.0',
      'The training text "FineWeb-Edu" is under CC-BY-SA-4.0, which requires derived models to be distributed under the same terms.',
    ],
    [
      'unknown',
      'The licence of the training text "FineWeb-Edu" is not known, so nothing says that derived models may be distributed.',
    ],
  ])('%s of the training text', async (license, sentence) => {
    const dataSources = [ODC_BY, { ...ODC_BY, license }];
    expect(await sentences({ ...APACHE, dataSources })).toEqual([sentence]);
    expect(await sentences({ ...APACHE, dataSources, accepted: license })).toEqual([]);
  });

  it('text without stated sources', async () => {
    expect(await sentences({ ...APACHE, dataSources: [], accepted: 'unknown' })).toEqual([]);
  });

  it('several, each named, and acknowledged in one list', async () => {
    const both = { license: 'cc-by-nc-4.0', dataSources: [] };
    expect(await sentences(both)).toHaveLength(2);
    expect(await sentences({ ...both, accepted: 'unknown' })).toHaveLength(1);
    expect(await sentences({ ...both, accepted: 'cc-by-nc-4.0,unknown' })).toEqual([]);
  });
});

describe('without its conversion', () => {
  const ask = (folder: string, repository = 'me/x') =>
    releaseViolations({ folder, manifest: null, repository, acceptedLicense: null });

  it('an export’s provenance determines what its licence requires', async () => {
    const { folder } = await exported(LLAMA);
    expect(await ask(folder, 'me/Llama-x')).toEqual([]);
    expect((await ask(folder)).map(({ sentence }) => sentence)).toEqual([
      'The Llama 3.2 Community License requires a name that begins with "Llama", but "x" does not.',
    ]);
  });

  it('a licence in the card of an unknown source counts, with its requirements', async () => {
    const made = await exported({ license: null });
    expect(await ask(made.folder)).toHaveLength(1);
    await edit('README.md', 'license: unknown', 'license: llama3.2')(made);
    const found = (await ask(made.folder, 'me/Llama-x')).map(({ sentence }) =>
      sentence.split(' ').slice(0, 5).join(' '),
    );
    expect(found).toEqual([
      'The folder has no copy',
      'No NOTICE file in the',
      'README.md does not say "Built',
      'README.md does not link the',
    ]);
  });

  it('an empty folder lacks the card and the provenance', async () => {
    expect((await ask(folder())).map(({ sentence }) => sentence)).toEqual([
      'The folder has no model card, README.md.',
      'The folder has no valid provenance.json, which says what the model was made from.',
      'The licence of the source is not known, so nothing says that derived models may be distributed.',
    ]);
  });
});
