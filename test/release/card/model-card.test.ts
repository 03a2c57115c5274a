import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../../../src/recipe/index.js';
import { isBias } from '../../../src/release/card/results.js';
import { missingSections } from '../../../src/release/card-sections.js';
import {
  CARD_SECTIONS,
  type CardInputs,
  cardFromManifest,
  frontMatterFaults,
  modelCard,
  readCard,
} from '../../../src/release/index.js';
import { localPathIn, placeholderIn } from '../../../src/release/placeholders.js';
import { fileAt, manifestOf, SMALL_MODEL as model, ODC_BY, stage } from '../../support/release.js';

const recipe = await loadRecipe('llama-3.2-1b');
const llama = manifestOf({ license: 'llama3.2', model: 'org/Some-Llama@main' });
const options = {
  name: 'Some-Llama-BLT',
  languages: ['en'],
  recipe,
  text: { documents: 1234, domains: [], trainBytes: 5e9, heldOutBytes: 5e6 },
  licenceFiles: ['LICENSE.txt', 'NOTICE'],
  dataSources: [
    ODC_BY,
    { name: 'A | wiki', license: 'cc-by-sa-4.0', url: 'https://example.org/wiki', language: ['de'] },
  ],
};
const card = cardFromManifest(llama, options);
const section = (text: string, title: string) => text.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

describe('the front matter', () => {
  it('has the keys that the hub reads', () => {
    const { front } = readCard(modelCard(card, model));
    expect(front).toEqual({
      license: 'llama3.2',
      language: ['en', 'de'],
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      base_model: 'org/Some-Llama',
      base_model_relation: 'finetune',
      datasets: ['HuggingFaceFW/fineweb-edu'],
      tags: ['blt', 'byte-level', 'byteify'],
    });
    expect(frontMatterFaults(front)).toEqual([]);
  });

  it('names no base model for a local source, even if it looks like an id, and states that a licence is unknown', () => {
    const local = manifestOf({ model: 'models/mine', revision: null, license: null });
    const { front, body } = readCard(modelCard(cardFromManifest(local, { name: 'x' }), model));
    expect(front).toEqual({
      license: 'unknown',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      tags: ['blt', 'byte-level', 'byteify'],
    });
    expect(body).toContain('`mine`');
    expect(body).not.toContain('models/mine');
  });

  const house = (change: Partial<CardInputs>, revision: string | null = 'abc123') => {
    const made = cardFromManifest(manifestOf({ license: 'House Terms: 1', revision }), { name: 'x', ...change });
    const { front } = readCard(modelCard(made, model));
    return front as Record<string, unknown>;
  };

  it.each([
    [{ licenceFiles: ['LICENSE', 'LICENSE.md'] }, 'LICENSE'],
    [{ licenceFiles: ['LICENSE.md'] }, 'LICENSE.md'],
    [{ licenceLink: 'https://example.org/terms' }, 'https://example.org/terms'],
    [
      { licenceFiles: ['LICENSE.txt'], licenceLink: 'LICENSE.txt' },
      'https://huggingface.co/org/Some-Llama/blob/abc123/LICENSE.txt',
    ],
    [{}, 'https://huggingface.co/org/Some-Llama'],
  ])('names and links a licence that is unknown to the hub: %j', (change, link) => {
    const front = house(change);
    expect(front).toMatchObject({ license: 'other', license_name: 'house-terms-1', license_link: link });
    expect(frontMatterFaults(front)).toEqual([]);
  });

  it('has no link if the licence has none, which is then reported', () => {
    expect(frontMatterFaults(house({}, null))).toEqual(['license_link is required if license is other.']);
  });
});

describe('the text', () => {
  const text = modelCard(card, model);
  const { body } = readCard(text);

  it('has every section, and no placeholders, local paths or undefined values', () => {
    expect([...body.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual([...CARD_SECTIONS]);
    expect(missingSections(body)).toEqual([]);
    expect(placeholderIn(body)).toBeNull();
    expect(localPathIn(text)).toBeNull();
    expect(body).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('says how the model was made, from what, and how to reproduce it', () => {
    const made = section(body, 'How it was made');
    expect(body).toContain('[org/Some-Llama](https://huggingface.co/org/Some-Llama) at `abc123`');
    expect(made).toContain('byteify 9.8.7 with the recipe `r` (digest `recipedigest`)');
    expect(made).toMatch(/^\| distill-decoder \| .+ \| 4,000 \| 1,048,576 \|$/m);
    expect(made).toMatch(/^\| closed-form \| .+ \| {2}\| {2}\|$/m);
    expect(made).toContain('took 3 min; training the model took 1.30 EFLOP');
    expect(made).toContain('byteify convert --recipe recipe.yaml --data text --out again');
    expect(body).toContain('1,234,567 parameters in bfloat16');
  });

  it('has results beside the source’s, the retention, and commands that measure them', () => {
    const results = section(body, 'Results');
    expect(results).toContain('| bits per byte of held-out text (lower is better) | 1 | 1.25 |');
    expect(results).toContain('| bytes per step of the large transformer | 4.45 | 4.43 |');
    expect(results).toContain('Retention is 80.0 %');
    expect(results).toContain('instead of its embeddings | 1.05 |');
    expect(results).toContain('byteify score . text.txt\nbyteify patcher evaluate again --data text');
    expect(results).toContain("and how well patches follow the source's tokens,");
    expect(results).not.toMatch(/data wait|flops|weight bytes/);
    expect(section(body, 'Limits')).toContain('less well than its source');
  });

  it('offers no measurement of patches if there was none', () => {
    const entropy = manifestOf({ stages: { finetune: stage({ validation_bits_per_byte: 1.25 }) } });
    const results = section(modelCard(cardFromManifest(entropy, options), model), 'Results');
    expect(results).toContain("run this in the model's folder:\n\n```sh\nbyteify score . text.txt\n```");
    expect(results).not.toContain('patches follow');
  });

  it('says if the source’s weights are quantised, and which types they have', () => {
    const quantised = cardFromManifest({ ...llama, quantised_types: ['Q4_1', 'Q6_K'] }, options);
    const sentence = /weights are quantised \(`Q4_1`, `Q6_K`\)/;
    expect(section(modelCard(quantised, model), 'Results')).toMatch(sentence);
    for (const none of [llama, { ...llama, quantised_types: [] }])
      expect(modelCard(cardFromManifest(none, options), model)).not.toContain('quantised');
  });

  it('has no retention if the source was not measured, and says what was not evaluated', () => {
    const alone = manifestOf({ stages: { finetune: stage({ validation_bits_per_byte: 1.25 }) } });
    const { body } = readCard(modelCard(cardFromManifest(alone, { name: 'x' }), model));
    expect(body).toContain('| not measured | 1.25 |');
    expect(body).not.toMatch(/Retention|worse than its source/);
    expect(body).toContain('- Not evaluated: ');
  });

  it('states the sources of the text, their licences and requirements', () => {
    const data = section(body, 'Training data');
    expect(data).toContain(
      '| [FineWeb-Edu](https://huggingface.co/datasets/HuggingFaceFW/fineweb-edu) | [ODC-By-1.0](https://spdx.org/licenses/ODC-By-1.0.html) | en |',
    );
    expect(data).toContain('| [A \\| wiki](https://example.org/wiki) |');
    expect(data).toContain('- A | wiki is under CC-BY-SA-4.0, which requires derived models to be distributed');
    expect(data).toContain('5.00 GB for training and 5.00 MB held out, from 1,234 documents');
    expect(data).toContain('`datadigest`');
  });

  it('says if sources were not stated', () => {
    const { body } = readCard(modelCard(cardFromManifest(llama, { name: 'x' }), model));
    expect(section(body, 'Training data')).toContain('were not stated');
  });

  it('says how to load it, without the cache', () => {
    expect(body).toContain('BltForCausalLM.from_pretrained("Some-Llama-BLT")');
    expect(body).toContain('use_cache=False');
  });

  it('says that biases were not measured, or what was', () => {
    expect(section(body, 'Biases')).toContain('Biases were not measured.');
    const finetune = stage({ validation_bits_per_byte: 1.25, pronoun_bias_fraction: 0.625 });
    const told = modelCard(cardFromManifest(manifestOf({ stages: { finetune } }), { name: 'x' }), model);
    expect(section(told, 'Biases')).toContain('| finetune | pronoun bias fraction | 0.625 |');
    expect(section(told, 'Biases')).not.toContain('Biases were not measured.');
    expect(section(told, 'Results')).not.toContain('pronoun');
    expect(['bias', 'pronoun_bias', 'biased', 'unbias_x'].map(isBias)).toEqual([true, true, false, false]);
  });

  it('displays what a Llama licence requires prominently, and only then', () => {
    expect(body).toMatch(/^\n# Some-Llama-BLT\n\n\*\*Built with Llama\.\*\*\n/);
    const licence = section(body, 'Licence and attribution');
    expect(licence).toContain(
      'Llama 3.2 is licensed under the Llama 3.2 Community License, Copyright © Meta Platforms',
    );
    expect(licence).toContain('(https://www.llama.com/llama3_2/use-policy)');
    expect(licence).toContain('[LICENSE.txt](LICENSE.txt)');
    const free = modelCard(cardFromManifest(manifestOf({}), { name: 'x' }), model);
    expect(free).not.toMatch(/Built with|Meta|use.policy/);
    expect(free).toContain('[Apache-2.0](https://spdx.org/licenses/Apache-2.0.html)');
  });

  it.each([
    ['cc-by-nc-4.0', 'which does not allow commercial use'],
    [null, 'The licence of the source is not known'],
  ])('warns of the licence %s', (license, warning) => {
    const warned = modelCard(cardFromManifest(manifestOf({ license }), { name: 'x' }), model);
    expect(section(warned, 'Licence and attribution')).toContain(warning);
  });

  it.each([
    [{ revision: 'abc123' }, 'from the same commit of the source, which recipe.yaml names'],
    [{ revision: null, model: 'builtin:tiny-llama' }, 'from the model that is shipped with byteify'],
    [
      { revision: null, model: '/home/me/x.gguf' },
      'from the same files at `x.gguf` (provenance.json has their digests)',
    ],
  ])('says from what to reproduce the model: %j', (change, words) => {
    const made = modelCard(cardFromManifest(manifestOf(change), { name: 'x', recipe }), model);
    expect(section(made, 'How it was made')).toContain(words);
    expect(localPathIn(made)).toBeNull();
  });
});

it('a stage that is still running has no results', () => {
  const stages = {
    import: stage({}, [fileAt('a')]),
    export: { ...stage({ weight_bytes: 1 }), state: 'started' as const },
  };
  expect(modelCard(cardFromManifest(manifestOf({ stages }), { name: 'x', recipe }), model)).not.toContain(
    'weight bytes',
  );
});

it('a plain checkpoint also has a complete card', () => {
  const { front, body } = readCard(modelCard(cardFromManifest(null, { name: 'plain' }), model));
  expect(front).toMatchObject({ license: 'unknown' });
  expect(body).toMatch(/^\n# plain\n/);
  expect(missingSections(body)).toEqual([]);
  expect(section(body, 'Results')).toContain('Nothing was measured.');
  expect(body).not.toMatch(/null|undefined/);
});

describe('untrusted text in a card', () => {
  const HTML = '<img src=x onerror=alert(1)>';
  const spoiled = `${HTML} [x](javascript:alert(1)) | \`\`\`\n\n# Mine "`;
  const made = cardFromManifest(
    manifestOf({
      license: spoiled,
      model: spoiled,
      revision: null,
      byteify: spoiled,
      recipe: { name: spoiled, sha256: spoiled },
      stages: { finetune: stage({ [spoiled]: 1, [`bias ${spoiled}`]: 1 }) },
    }),
    {
      name: spoiled,
      recipe,
      dataSources: [
        { name: spoiled, license: spoiled, url: `https://example.org/a) ${HTML}` },
        { name: 'b', license: 'mit', url: 'javascript:alert(1)' },
      ],
      licenceFiles: [`LICENSE.${HTML}`],
      licenceLink: `https://example.org/ ${HTML}`,
    },
  );
  const { front, body } = readCard(modelCard(made, model));
  // Code spans show their contents literally.
  const prose = body.replaceAll(/^```[\s\S]*?^```$/gm, '').replaceAll(/(?<![`\\])(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');

  it('becomes no HTML, heading, table cell or link', () => {
    expect(prose).not.toMatch(/(?<!\\)<(?:img|\w)/);
    expect(prose).not.toMatch(/(?<!\\)\]\((?!https:\/\/|LICENSE|provenance\.json|recipe\.yaml)/);
    expect(body).not.toMatch(/^# Mine/m);
    const [head, , ...rows] = section(body, 'Training data')
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('|'));
    const cells = (row: string) => row.split(/(?<!\\)\|/).length;
    expect(rows.map(cells)).toEqual(rows.map(() => cells(head!)));
    expect(rows).toHaveLength(2);
    expect(missingSections(body)).toEqual([]);
  });

  it('does not break the front matter', () => {
    expect(frontMatterFaults(front)).toEqual([]);
  });

  it('stays a string in the Python example', () => {
    expect(section(body, 'Load it')).toContain(`from_pretrained(${JSON.stringify(spoiled)})`);
  });
});
