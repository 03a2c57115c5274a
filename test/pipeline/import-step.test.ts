import { cp, readFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { openConversion, type StageName } from '../../src/conversion/index.js';
import { importStep } from '../../src/pipeline/import-step.js';
import { quietReporter } from '../support/quiet-reporter.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TINY = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const folder = temporaryFolder();
const model = (...names: string[]) => join(folder(), 'model', ...names);
const out = () => join(folder(), 'conversion');

/** Runs the step in a separate session. Returns its summary. */
async function imported(name = model(), restartFrom?: StageName): Promise<string> {
  let summary = '';
  const reporter = quietReporter({
    done(said) {
      summary = said ?? '';
    },
  });
  const conversion = await openConversion(out(), restartFrom ? { restartFrom } : {});
  try {
    await importStep({ conversion, reporter, signal: new AbortController().signal }, name);
    return summary;
  } finally {
    await conversion.close();
  }
}

beforeEach(async () => {
  await cp(TINY, model(), { recursive: true });
  await imported();
});

describe('an unchanged local model', () => {
  it('is not imported again', async () => {
    expect(await imported()).toBe('already there');
  });

  it('is not imported again if it was copied or touched', async () => {
    await utimes(model('model.safetensors'), new Date(), new Date(2001, 1, 1));
    expect(await imported()).toBe('already there');
  });
});

const CHANGES: readonly [what: string, change: () => Promise<unknown>, clause: string][] = [
  [
    'in its weights, the same size',
    async () => {
      const weights = await readFile(model('model.safetensors'));
      await writeFile(model('model.safetensors'), weights.fill(0, weights.length - 8));
    },
    'model.safetensors was changed',
  ],
  ['in its tokenizer', () => truncate(model('tokenizer.json'), 10), 'tokenizer.json was changed'],
  ['by a file that is gone', () => rm(model('tokenizer_config.json')), 'tokenizer_config.json is gone'],
];

describe('a local model that changed', () => {
  it.each(CHANGES)('(%s) is refused by name', async (_what, change, clause) => {
    await change();
    await expect(imported()).rejects.toMatchObject({
      message: `The model has changed since the stage "import" began in ${out()}: ${model(clause)}.`,
      hint: expect.stringContaining('--restart-from import'),
      exitCode: 2,
    });
  });

  it('is imported again on request', async () => {
    await CHANGES[0]![1]();
    expect(await imported(model(), 'import')).toMatch(/^\d+ files, /);
    expect(await imported()).toBe('already there');
  });

  it('by disappearing is reported as gone', async () => {
    await rename(model(), `${model()}-moved`);
    await expect(imported()).rejects.toThrow(/The model has changed .*: .* is gone, and \d more files\.$/);
  });
});
