import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { importModel } from '../../src/import/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { TINY } from './samples.js';

type Json = Record<string, unknown>;

const folder = temporaryFolder();
const model = () => join(folder(), 'model');
const path = (name: string) => join(model(), name);

beforeEach(async () => {
  await cp(TINY, model(), { recursive: true });
});

/** Changes a JSON file of the model, or creates it. */
async function change(name: string, edit: (json: Json) => Json): Promise<void> {
  const text = await readFile(path(name), 'utf8').catch(() => '{}');
  await writeFile(path(name), JSON.stringify(edit(JSON.parse(text) as Json)));
}

const addToken = (id: number, content: string, special = false) =>
  change('tokenizer.json', (json) => ({
    ...json,
    added_tokens: [
      ...(json.added_tokens as object[]),
      { id, content, special, normalized: false, single_word: false, lstrip: false, rstrip: false },
    ],
  }));

/** Expects one sentence with the reason, and nothing left of the import. */
async function expectRefused(message: string | RegExp): Promise<void> {
  const failing = importModel({ model: model(), out: join(folder(), 'out') });
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toMatchObject({ hint: expect.stringMatching(/\w/) });
  expect(await readdir(folder())).toEqual(['model']);
}

const imported = () => importModel({ model: model(), out: join(folder(), 'out') });

describe('among ids and rows of the embedding,', () => {
  it('an added token to which text is encoded must have a row', async () => {
    await addToken(1024, '<|im_start|>');
    await expectRefused(
      `${path('tokenizer.json')} gives "<|im_start|>" the id 1024, but the model has 1024 tokens (vocab_size).`,
    );
  });

  it('a special token needs no row, since no text is encoded to it', async () => {
    await addToken(1024, '<pad>', true);
    await imported();
  });

  it('a special token needs a row if texts begin with it', async () => {
    await addToken(1024, '<begin>', true);
    await change('tokenizer_config.json', (json) => ({ ...json, bos_token: '<begin>' }));
    await expectRefused(/gives "<begin>" the id 1024/);
  });

  it.each([
    ['config.json', 'bos_token_id', 1024],
    ['config.json', 'eos_token_id', [0, 4096]],
    ['generation_config.json', 'eos_token_id', [0, 1024]],
    ['generation_config.json', 'bos_token_id', -1],
    ['generation_config.json', 'bos_token_id', '<s>'],
  ])('%s must have no %s beyond the rows: %j', async (name, key, value) => {
    await change(name, (json) => ({ ...json, [key]: value }));
    await expectRefused(
      name === 'config.json' || Array.isArray(value) || typeof value === 'number'
        ? /has the \w+_token_id \d*-?\d+, but the model has 1024/
        : /has the bos_token_id "<s>"/,
    );
  });

  it('a file without special ids is accepted', async () => {
    await change('generation_config.json', () => ({ eos_token_id: null, do_sample: true }));
    await imported();
  });
});

it.each(['bos_token', 'eos_token'])('the %s that tokenizer_config.json names must exist', async (key) => {
  await change('tokenizer_config.json', (json) => ({ ...json, [key]: { content: '<none>', special: true } }));
  await expectRefused(
    `${path('tokenizer_config.json')} names the ${key} "<none>", which ${path('tokenizer.json')} does not have.`,
  );
});

it.each(['(q|q)*z', '(\\s*\\n*)*x'])('the endless expression %s is detected', { timeout: 60_000 }, async (Regex) => {
  const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
  await change('tokenizer.json', (json) => ({
    ...json,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [split, json.pre_tokenizer] },
  }));
  await expectRefused(/tokenizer\.json cannot be used: its expressions did not process \d+ characters in 10 s\./);
});

describe('a chat template', () => {
  it('that never ends is refused with the name of its file', { timeout: 60_000 }, async () => {
    await writeFile(path('chat_template.jinja'), '{% for i in range(1000000000) %}{% endfor %}');
    await expectRefused(`The chat template in ${path('chat_template.jinja')} `);
  });

  it('that never ends is refused even in tokenizer_config.json', { timeout: 60_000 }, async () => {
    const loop = '{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}';
    await change('tokenizer_config.json', (json) => ({ ...json, chat_template: loop }));
    await expectRefused(`The chat template in ${path('tokenizer_config.json')} did not finish within 5 s.`);
  });

  it.each(["{{ raise_exception('no') }}", '{% generation %}', 'plain'])('%j is accepted', async (template) => {
    await writeFile(path('chat_template.jinja'), template);
    await imported();
  });
});

describe('a small file that cannot be read is named with the reason', () => {
  const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n';
  it.each([
    ['config.json', '{"rope_theta": Infinity}', 'is not JSON: Infinity, which Python writes'],
    ['tokenizer.json', POINTER, 'is a git-lfs pointer'],
    ['tokenizer_config.json', '{"model_max_length": NaN}', 'is not JSON: NaN, which Python writes'],
    ['generation_config.json', '', 'is empty'],
    ['generation_config.json', '[]', 'is not a JSON object'],
    ['special_tokens_map.json', "{'bos_token': None}", 'is not JSON: single quotes'],
  ])('for %s as %j', async (name, text, reason) => {
    await writeFile(path(name), text);
    await expectRefused(`${path(name)} ${reason}`);
  });

  it('for a folder in place of a file', async () => {
    await mkdir(path('generation_config.json'));
    await expectRefused(`${path('generation_config.json')} is a folder where a file is needed`);
  });
});
