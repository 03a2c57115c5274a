import { cp, mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openConversion, type StageName } from '../../src/conversion/index.js';
import { dataStep } from '../../src/pipeline/data-step.js';
import { loadRecipeOrDefault } from '../../src/recipe/index.js';
import { quietReporter } from '../support/quiet-reporter.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const text = (...names: string[]) => join(folder(), 'text', ...names);
const out = () => join(folder(), 'conversion');

let summary = '';
const reporter = quietReporter({
  done(said) {
    summary = said ?? '';
  },
});

/** Runs the data step in a separate session. Returns its summary of the text. */
async function read(
  paths: readonly string[],
  options: { set?: string | readonly string[]; restartFrom?: StageName } = {},
): Promise<string> {
  const { set = 'data.max_document_bytes=256', restartFrom } = options;
  const conversion = await openConversion(out(), restartFrom ? { restartFrom } : {});
  try {
    const recipe = await loadRecipeOrDefault(undefined, { sets: [set].flat() });
    const signal = new AbortController().signal;
    await (await dataStep({ conversion, recipe, reporter, signal }, paths)).close();
    return summary;
  } finally {
    await conversion.close();
  }
}

async function begin(stage: StageName): Promise<void> {
  const conversion = await openConversion(out());
  const started = new Date().toISOString();
  const record = { state: 'started' as const, inputs: {}, started, finished: null, seconds: 0, files: [], metrics: {} };
  await conversion.update((manifest) => ({ ...manifest, stages: { [stage]: record } }));
  await conversion.close();
}

beforeEach(async () => {
  await mkdir(text('deep'), { recursive: true });
  await mkdir(out());
  for (const name of ['a.txt', 'b.txt', 'deep/c.txt'])
    await writeFile(text(name), `What ${name} says stands nowhere else.\n`.repeat(20));
  await read([text()]);
});

describe('unchanged text', () => {
  it('is not read again', async () => {
    await begin('patcher');
    expect(await read([text()])).toContain('already there');
    expect(await read([text('b.txt'), text()])).toContain('already there');
  });

  it('is not read again if it was copied or touched', async () => {
    await begin('patcher');
    await utimes(text('a.txt'), new Date(), new Date(2001, 1, 1));
    const request = () => readFile(join(out(), 'data', 'request.json'), 'utf8');
    const before = await request();
    expect(await read([text()])).toContain('already there');
    // the new time is recorded, so that the file is not compared each time
    expect(await request()).not.toBe(before);
    expect(await request()).toContain((await stat(text('a.txt'))).mtime.toISOString());
  });
});

const CHANGES: readonly [what: string, change: () => Promise<unknown>, clause: string][] = [
  ['another size', () => writeFile(text('a.txt'), 'short\n'), 'a.txt was changed'],
  [
    'the same size',
    async () => writeFile(text('a.txt'), (await readFile(text('a.txt'))).fill(120)),
    'a.txt was changed',
  ],
  ['a new file', () => writeFile(text('deep/new.txt'), 'new\n'), 'deep/new.txt is new'],
  ['a file that is gone', () => rm(text('deep/c.txt')), 'deep/c.txt is gone'],
  [
    'several',
    async () => {
      await rm(text('a.txt'));
      await rm(text('b.txt'));
      await writeFile(text('new.txt'), 'new\n');
    },
    'a.txt is gone, and 2 more files',
  ],
];

describe.each(CHANGES)('text that changed: %s', (_what, change, clause) => {
  it('is read again if nothing was trained on it', async () => {
    await change();
    expect(await read([text()])).toContain('held out');
  });

  it.each<[StageName, StageName]>([
    ['patcher', 'patcher'],
    ['finetune', 'finetune'],
  ])('is refused by name once the stage %s began, unless %s is to be redone', async (stage, restartFrom) => {
    await begin(stage);
    await change();
    await expect(read([text()])).rejects.toMatchObject({
      message: `The data has changed since the stage "${stage}" began in ${out()}: ${join(text(), clause)}.`,
      hint: expect.stringContaining(`--restart-from ${stage}`),
      exitCode: 2,
    });
    expect(await read([])).toContain('already there');
    expect(await read([text()], { restartFrom })).toContain('held out');
  });
});

it('redoing a later stage than the one that began does not allow a change', async () => {
  await begin('patcher');
  await writeFile(text('a.txt'), 'short\n');
  await expect(read([text()], { restartFrom: 'finetune' })).rejects.toThrow('The data has changed');
});

it('changed settings are refused once a stage began', async () => {
  await begin('patcher');
  await expect(read([text()], { set: 'data.max_document_bytes=128' })).rejects.toThrow(
    `The settings of the data have changed since the stage "patcher" began in ${out()}.`,
  );
});

it('deleted text is reported, and the stored text is used without --data', async () => {
  await rm(text(), { recursive: true });
  await expect(read([text()])).rejects.toMatchObject({
    message: `${text()} was read into ${join(out(), 'data')} and is gone since.`,
    hint: 'Leave --data out to continue with the text that was read.',
  });
  expect(await read([])).toContain('already there');
  await expect(read([], { set: 'data.max_document_bytes=128' })).rejects.toMatchObject({
    message: expect.stringContaining('is gone since'),
    hint: expect.stringContaining('undo the changes to the data section'),
  });
});

it('a conversion folder among the text is left out by name', async () => {
  await cp(out(), text('earlier'), { recursive: true });
  expect(await read([text()])).toContain('already there');
  await rm(join(out(), 'data'), { recursive: true });
  await read([text()]);
  const { files, refused } = JSON.parse(await readFile(join(out(), 'data', 'data.json'), 'utf8'));
  expect(files.length).toBe(3);
  expect(refused).toEqual([{ path: text('earlier'), reason: 'it is a conversion folder' }]);
});

describe('a seed of the data', () => {
  it('holds out the same text under other seeds of the recipe', async () => {
    const heldOut = async (...seeds: string[]) => {
      await rm(join(out(), 'data'), { recursive: true });
      await read([text()], { set: ['data.max_document_bytes=64', 'data.validation_fraction=0.3', ...seeds] });
      return readFile(join(out(), 'data', 'validation.bin'), 'utf8');
    };
    const first = await heldOut('seed=1');
    expect(await heldOut('seed=2')).not.toBe(first);
    expect(await heldOut('seed=2', 'data.seed=1')).toBe(first);
  });
});

describe('domains', () => {
  const DOMAINS = 'data.domains={images: {kind: bytes}, code: {}}';
  const set = { set: DOMAINS };

  beforeEach(async () => {
    await rm(join(out(), 'data'), { recursive: true });
    for (const name of ['images', 'code']) {
      await mkdir(text('..', name));
      for (let i = 0; i < 5; i++) await writeFile(text('..', name, `${i}`), `${name} ${i}`);
    }
  });
  const named = (name: string, path = name) => `${name}=${text('..', path)}`;

  it('are given by name; a path without one is text', async () => {
    expect(await read([text(), named('images'), named('code')], set)).toMatch(
      /to train on \(code .+, text .+, images .+\), .+ held out$/,
    );
    expect(await read([], set)).toContain('already there');
    expect(await read([named('code'), named('images'), text()], set)).toContain('already there');
  });

  it('must each have data', async () => {
    await expect(read([text(), named('code')], set)).rejects.toMatchObject({
      message: 'The recipe\'s domain "images" has no data.',
      hint: 'Pass --data images=PATH as well.',
    });
  });

  it('must be those of the recipe', async () => {
    await expect(read([`sounds=${text()}`], set)).rejects.toMatchObject({
      message: expect.stringMatching(/^--data sounds=.*: the recipe has no domain "sounds"\.$/),
      hint: 'Its domains are: images, code.',
    });
    await expect(read([`sounds=${text()}`])).rejects.toMatchObject({
      hint: 'Add data.domains.sounds to the recipe, or pass --set data.domains.sounds.kind=bytes.',
    });
  });

  it('have weights together, also the one of paths without a name', async () => {
    const weighted = { set: 'data.domains={images: {kind: bytes, weight: 1}}' };
    await expect(read([text(), named('images')], weighted)).rejects.toMatchObject({
      message: 'The domain "text" has no weight, but the recipe\'s others have.',
      hint: expect.stringContaining('data.domains.text.weight'),
    });
  });

  it('include text if something learns from the source', async () => {
    // The default recipe has an aligned patcher.
    await expect(read([named('images')], { set: 'data.domains={images: {kind: bytes}}' })).rejects.toThrow(
      'An aligned patcher learns from the source, which reads text, and no domain of the data is text.',
    );
  });

  it('are not called like what every object has', async () => {
    await expect(read([`constructor=${text()}`], set)).rejects.toThrow('the recipe has no domain "constructor"');
  });

  it('are not taken from the name of a file that exists', async () => {
    await mkdir(text('..', 'a=b'));
    await writeFile(text('..', 'a=b', '1.txt'), 'first '.repeat(99));
    await writeFile(text('..', 'a=b', '2.txt'), 'second '.repeat(99));
    expect(await read([text('..', 'a=b')])).toContain('to train on');
  });

  it('that a file moves to are a change', async () => {
    await read([text(), named('images'), named('code')], set);
    await begin('patcher');
    await expect(read([text(), named('images', 'code'), named('code', 'images')], set)).rejects.toThrow(
      /changed since the stage "patcher" began in .*: .* is now of the domain (code|images), and 9 more files\.$/,
    );
  });
});
