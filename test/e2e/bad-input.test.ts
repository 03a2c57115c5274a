import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { goldenPath } from '../support/golden.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-bad-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function made(name: string, contents: string): string {
  const path = join(work, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, contents);
  return path;
}

const text = made('text/a.txt', 'Some text. '.repeat(50));
const out = join(work, 'new');

const CASES: readonly [what: string, args: string[], code: number, says: RegExp][] = [
  ['an unknown verb', ['convrt'], 2, /unknown command 'convrt'/i],
  ['an unknown flag', ['convert', '--out', out, '--outt', 'x'], 2, /unknown option '--outt'/i],
  ['a missing required flag', ['convert', 'builtin:tiny-llama'], 2, /--out/],
  ['a model that does not exist', ['convert', './nowhere', '--data', text, '--out', out], 2, /nowhere does not exist/],
  [
    'a model that is not an id',
    ['convert', 'a/b/c', '--data', text, '--out', out],
    2,
    /neither a path that exists nor a hub id/,
  ],
  ['an empty folder as model', ['import', join(work, 'text'), '--out', out], 1, /contains no config\.json/],
  [
    'another architecture',
    ['import', join(made('mistral/config.json', '{"model_type":"mistral"}'), '..'), '--out', out],
    1,
    /model_type is "mistral"/,
  ],
  [
    'a model without a tokenizer',
    ['import', goldenPath('plain/llama'), '--out', out],
    1,
    /contains no tokenizer\.json/,
  ],
  [
    'an invalid GGUF file',
    ['import', made('x.gguf', 'GGML????????????????????'), '--out', out],
    1,
    /does not begin with "GGUF"/,
  ],
  ['an unknown recipe', ['convert', 'builtin:tiny-llama', '--recipe', 'tinny', '--out', out], 2, /no recipe "tinny"/],
  [
    'a wrong override',
    ['convert', 'builtin:tiny-llama', '--recipe', 'tiny', '--set', 'stages.0.stepz=1', '--out', out],
    2,
    /stepz: there is no such key/,
  ],
  [
    'data that does not exist',
    ['convert', 'builtin:tiny-llama', '--recipe', 'tiny', '--data', join(work, 'none'), '--out', join(work, 'o1')],
    2,
    /none does not exist/,
  ],
  [
    'data that is empty',
    ['convert', 'builtin:tiny-llama', '--recipe', 'tiny', '--data', made('e/empty.txt', ''), '--out', join(work, 'o2')],
    1,
    /contains no usable text .*empty/,
  ],
  [
    'no data at all',
    ['convert', 'builtin:tiny-llama', '--recipe', 'tiny', '--out', join(work, 'o3')],
    2,
    /no text to train on/,
  ],
  [
    'a folder of something else as --out',
    ['convert', 'builtin:tiny-llama', '--recipe', 'tiny', '--data', text, '--out', join(work, 'text')],
    2,
    /not a conversion folder/,
  ],
  [
    'remap --out onto a folder of something else',
    ['remap', goldenPath('plain/llama'), '--out', join(work, 'text'), '--set', 'blt.hash_vocab=100'],
    2,
    /text is not empty/,
  ],
  [
    'remap --out onto its own source',
    ['remap', goldenPath('plain/llama'), '--out', goldenPath('plain/llama'), '--set', 'blt.hash_vocab=100'],
    2,
    /is the input/,
  ],
  ['export --out onto a file', ['export', goldenPath('plain/blt'), '--out', text], 2, /a\.txt is a file/],
  [
    'export --out onto a folder of something else',
    ['export', goldenPath('plain/blt'), '--out', join(work, 'text')],
    2,
    /text is not empty/,
  ],
  [
    'export --out onto its own source',
    ['export', goldenPath('plain/blt'), '--out', goldenPath('plain/blt')],
    2,
    /is the input/,
  ],
  [
    'export --out onto a folder that contains its source',
    ['export', goldenPath('plain/blt'), '--out', goldenPath('plain')],
    2,
    /contains the input/,
  ],
  [
    'export --out .',
    ['export', goldenPath('plain/blt'), '--out', '.'],
    2,
    /the current working directory|contains the input/,
  ],
  ['scoring with no model', ['score', join(work, 'text'), text], 2, /no byteify\.json and no config\.json/],
  [
    'scoring a file that does not exist',
    ['score', goldenPath('plain/blt'), join(work, 'none')],
    2,
    /none does not exist/,
  ],
  [
    'a question without an answer',
    ['evaluate', goldenPath('plain/blt'), '--suite', 'choice', '--out', out, '--data'].concat(
      made('q.jsonl', '{"question":"a","choices":["b","c"],"answer":0}\n{"question":"a","choices":["b","c"]}\n'),
    ),
    2,
    /Line 2 of .*q\.jsonl has no answer/,
  ],
  [
    'a table with another header',
    [
      'evaluate',
      goldenPath('plain/blt'),
      '--suite',
      'cute',
      '--out',
      out,
      '--data',
      made('spell.tsv', 'word\tlabel\n'),
    ],
    2,
    /first line of .*spell\.tsv is not the header of the task spell/,
  ],
  [
    'parallel files of unequal length',
    ['evaluate', goldenPath('plain/blt'), '--suite', 'translate', '--out', out, '--limit', '1', '--data'].concat(
      made('en.txt', 'a\nb\nc\nd\ne\n'),
      made('de.txt', 'a\nb\nc\nd\n'),
    ),
    2,
    /en\.txt has a line 5, but .*de\.txt does not/,
  ],
  [
    'a setting that a suite does not have',
    ['evaluate', goldenPath('plain/blt'), '--suite', 'cute', '--set', 'cute.constructor=1'],
    2,
    /cute\.constructor=1 names no setting/,
  ],
  ['evaluating without text', ['evaluate', goldenPath('plain/blt')], 2, /no text to measure on[\s\S]*--data/],
  [
    'evaluating on a binary file',
    ['evaluate', goldenPath('plain/blt'), '--data', made('zero.bin', 'a\0b')],
    1,
    /There is nothing to measure with the suite bpb[\s\S]*zero\.bin: it is binary/,
  ],
  ['scoring a folder', ['score', goldenPath('plain/blt'), join(work, 'text')], 2, /text is a folder/],
  [
    'too many threads',
    ['score', goldenPath('plain/blt'), text, '--threads', '128'],
    2,
    /--threads must be a whole number from 1 to 127, not "128"/,
  ],
  ['a recipe that is a folder', ['plan', '--recipe', join(work, 'text')], 2, /cannot be read \(EISDIR\)/],
  ['an override that is not YAML', ['plan', 'builtin:tiny-llama', '--set', 'name={'], 2, /the value is not YAML/],
  [
    'an override of a stage that does not exist',
    ['plan', 'builtin:tiny-llama', '--set', 'stages.7.steps=1'],
    2,
    /there is no stages\.7/,
  ],
  ['scoring an empty file', ['score', goldenPath('plain/blt'), made('none.txt', '')], 2, /is empty/],
  ['scoring a Llama as a BLT', ['score', goldenPath('plain/llama'), text], 1, /model_type/],
  [
    'an impossible patch size',
    ['patcher', 'calibrate', goldenPath('plain/blt'), '--target-bytes-per-patch', '-1'],
    2,
    /above zero/,
  ],
  [
    'a device whose plugin is not set up',
    ['score', goldenPath('plain/blt'), text, '--device', 'rocm'],
    1,
    /No plugin for rocm is set up/,
  ],
  ['a benchmark without a model', ['bench', 'train-step'], 2, /No model was named/],
  [
    'libraries that do not exist',
    ['setup', '--libtensorflow', join(work, 'text')],
    2,
    /does not contain libtensorflow/,
  ],
];

describe('bad input', () => {
  it.each(CASES)(
    'gives one sentence and an exit code, and leaves nothing behind: %s',
    async (_what, args, code, says) => {
      const result = await runCli(args, { env: { BYTEIFY_HOME: process.env.BYTEIFY_HOME ?? '' } });
      expect(result.stderr).toMatch(says);
      expect(result.stderr).toMatch(/^hint: /m);
      expect(result.code).toBe(code);
      expect(result.stdout).toBe('');
      expect(result.stderr).not.toMatch(/\n\s+at .*\.[jt]s/);
      expect(readdirSync(work)).not.toContain('new');
      expect(readdirSync(join(work, 'text'))).toEqual(['a.txt']);
    },
  );

  it('without an engine gives one sentence and what to do', async () => {
    const { code, stderr } = await runCli(['score', goldenPath('plain/blt'), text], {
      env: { BYTEIFY_HOME: join(work, 'home') },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/engine is not set up/);
    expect(stderr).toMatch(/byteify setup/);
  });
});
