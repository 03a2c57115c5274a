import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../src/conversion/manifest.js';
import { openConversion } from '../../src/conversion/open-conversion.js';
import { runStage } from '../../src/conversion/run-stage.js';
import { STAGE_NAMES, type StageName } from '../../src/conversion/stages.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

/** One session: opens the conversion, runs the stages, closes it. Returns the stages whose work ran. */
async function session(
  stages: Partial<Record<StageName, Record<string, string>>>,
  options: { restartFrom?: StageName; failIn?: StageName } = {},
): Promise<StageName[]> {
  const conversion = await openConversion(folder(), options.restartFrom ? { restartFrom: options.restartFrom } : {});
  const worked: StageName[] = [];
  try {
    for (const name of STAGE_NAMES) {
      const inputs = stages[name];
      if (inputs === undefined) continue;
      const work = async (output: string) => {
        worked.push(name);
        await mkdir(output, { recursive: true });
        await writeFile(join(output, `${name}-${Object.values(inputs).join('-')}`), '');
        if (options.failIn === name) throw new Error(`${name} broke`);
        return { metrics: { value: 1 }, files: [{ path: 'a', size_bytes: 1, sha256: 'x' }] };
      };
      await runStage({ conversion, name, inputs, work });
    }
  } finally {
    await conversion.close();
  }
  return worked;
}

const all = { import: { model: 'm' }, remap: { recipe: 'r' }, finetune: { recipe: 'r', data: 'd' } };

describe('runStage', () => {
  it('does the work once, and records it', async () => {
    expect(await session(all)).toEqual(['import', 'remap', 'finetune']);
    expect(await session(all)).toEqual([]);
    const manifest = await readManifest(folder());
    expect(manifest?.stages.remap).toMatchObject({ state: 'done', inputs: { recipe: 'r' }, metrics: { value: 1 } });
    expect(Date.parse(manifest!.stages.remap!.finished!)).toBeGreaterThanOrEqual(
      Date.parse(manifest!.stages.remap!.started),
    );
    expect((await readdir(folder())).sort()).toEqual(['byteify.json', 'init', 'run', 'source']);
  });

  it('resumes a stage that stopped midway, with its output in place', async () => {
    await expect(session(all, { failIn: 'remap' })).rejects.toThrow('remap broke');
    expect((await readManifest(folder()))?.stages.remap).toMatchObject({ state: 'started', finished: null });
    expect(existsSync(join(folder(), 'init', 'remap-r'))).toBe(true);
    expect(await session(all)).toEqual(['remap', 'finetune']);
  });

  it('runs a stage again if its output was deleted', async () => {
    await session(all);
    await rm(join(folder(), 'init'), { recursive: true });
    expect(await session(all)).toEqual(['remap']);
  });

  it('refuses changed inputs by name, whether the stage is done or stopped midway', async () => {
    await session(all);
    const changed = { ...all, finetune: { recipe: 'r2', data: 'd2' } };
    await expect(session(changed)).rejects.toMatchObject({
      message: `The recipe and data have changed since the stage "finetune" began in ${folder()}.`,
      hint: expect.stringContaining('--restart-from finetune'),
      exitCode: 2,
    });
    await rm(join(folder(), 'byteify.json'));
    await rm(join(folder(), 'run'), { recursive: true });
    await rm(join(folder(), 'init'), { recursive: true });
    await rm(join(folder(), 'source'), { recursive: true });
    await expect(session(all, { failIn: 'remap' })).rejects.toThrow();
    await expect(session({ ...all, remap: { recipe: 'r2' } })).rejects.toThrow('The recipe has changed');
  });

  it('restarts from a stage by discarding it and the later ones, but not the earlier ones', async () => {
    await session({ ...all, export: { dtype: 'bf16' } });
    expect(await session({ ...all, remap: { recipe: 'r2' } }, { restartFrom: 'remap' })).toEqual(['remap', 'finetune']);
    expect(await readdir(join(folder(), 'init'))).toEqual(['remap-r2']);
    expect(existsSync(join(folder(), 'blt'))).toBe(false);
    expect(Object.keys((await readManifest(folder()))!.stages)).toEqual(['import', 'remap', 'finetune']);
  });

  it('discards nothing if an earlier stage is refused', async () => {
    await session(all);
    const changed = { ...all, import: { model: 'm2' } };
    await expect(session(changed, { restartFrom: 'finetune' })).rejects.toThrow('The model has changed');
    expect(existsSync(join(folder(), 'run', 'finetune-r-d'))).toBe(true);
  });

  it('adds up the seconds of all sessions', async () => {
    const conversion = await openConversion(folder());
    const wait = () => new Promise((resolve) => setTimeout(resolve, 60));
    const run = (work: () => Promise<object>) => runStage({ conversion, name: 'import', inputs: {}, work });
    await expect(run(() => wait().then(() => Promise.reject(new Error('stop'))))).rejects.toThrow('stop');
    await run(async () => {
      await wait();
      await mkdir(conversion.path('import'));
      return {};
    });
    expect(conversion.manifest().stages.import?.seconds).toBeGreaterThan(0.1);
    await conversion.close();
  });
});

describe('openConversion', () => {
  it('refuses a folder that contains something else, and does not change it', async () => {
    await writeFile(join(folder(), 'thesis.tex'), '');
    await expect(openConversion(folder())).rejects.toThrow('contains thesis.tex but no byteify.json');
    expect(await readdir(folder())).toEqual(['thesis.tex']);
  });

  it('removes a new folder in which nothing was written, and keeps one that existed before', async () => {
    const fresh = join(folder(), 'deep', 'fresh');
    const fail = async (path: string) => {
      const conversion = await openConversion(path);
      const work = () => Promise.reject(new Error('no such model'));
      await expect(runStage({ conversion, name: 'import', inputs: {}, work })).rejects.toThrow('no such model');
      await conversion.close();
    };
    await fail(fresh);
    expect(existsSync(fresh)).toBe(false);
    await mkdir(fresh);
    await fail(fresh);
    expect(await readdir(fresh)).toEqual(['byteify.json']);
  });

  it.each([
    ['{', 'is not JSON: it is truncated'],
    ['{"format":2}', 'format: '],
    ['[]', 'top level: '],
  ])('refuses the manifest %s', async (text, reason) => {
    await writeFile(join(folder(), 'byteify.json'), text);
    await expect(openConversion(folder())).rejects.toThrow(reason);
    expect(await readFile(join(folder(), 'byteify.json'), 'utf8')).toBe(text);
    expect(await readdir(folder())).toEqual(['byteify.json']);
  });
});
