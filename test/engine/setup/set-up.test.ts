import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineHome, ownLibrariesFile, tensorflowFolder } from '../../../src/engine/setup/folders.js';
import { LIBRARY_FILES, type PinnedWheel } from '../../../src/engine/setup/libraries.js';
import { locateEngine } from '../../../src/engine/setup/locate.js';
import type { Machine } from '../../../src/engine/setup/machine.js';
import { recordSelfTest } from '../../../src/engine/setup/self-test-record.js';
import { setUpEngine } from '../../../src/engine/setup/set-up.js';
import { lockFolder } from '../../../src/fs/lock.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { startWheelIndex, type WheelIndex } from '../../support/wheel-index.js';

/** The pinned wheel of these tests, which is known only once it is built. */
const pinned = vi.hoisted(() => ({ wheel: null as unknown }));
vi.mock('../../../src/engine/setup/libraries.js', async (original) => ({
  ...(await original<typeof import('../../../src/engine/setup/libraries.js')>()),
  pinnedWheel: () => pinned.wheel as PinnedWheel,
}));
const here = vi.hoisted(() => ({ machine: null as unknown }));
vi.mock('../../../src/engine/setup/machine.js', async (original) => {
  const real = await original<typeof import('../../../src/engine/setup/machine.js')>();
  return { ...real, thisMachine: () => (here.machine as Machine | null) ?? real.thisMachine() };
});

const RESULT = { tensorflow: '2.21.0', devices: ['CPU'], gflops: 100, onednn: null };

const folder = temporaryFolder();
let index: WheelIndex;
let tried: string[];
/** Records a result like the self-test, without computing. */
const tryOut = async (libraries: string) => {
  tried.push(libraries);
  await recordSelfTest(libraries, RESULT);
  return RESULT;
};

beforeEach(async () => {
  vi.stubEnv('BYTEIFY_HOME', join(folder(), 'home'));
  index = await startWheelIndex(join(folder(), 'index'));
  pinned.wheel = index.wheel;
  here.machine = null;
  vi.stubEnv('PATH', [join(folder(), 'index'), process.env.PATH].join(delimiter));
  tried = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await index.close();
});

/** A folder that seems to contain the libraries. */
async function libraries(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  for (const file of LIBRARY_FILES) await writeFile(join(path, file), 'no library');
  return path;
}

async function chooseOwn(): Promise<string> {
  const own = await libraries(join(folder(), 'own'));
  await setUpEngine({ libtensorflow: own, tryOut });
  return own;
}

const cpu = () => join(tensorflowFolder(), 'tensorflow');

describe('setting the engine up', () => {
  it('downloads, unpacks what is needed, tests it, and keeps nothing else', async () => {
    const seen: string[] = [];
    const done = await setUpEngine({ tryOut, onTry: ({ build }) => seen.push(build) });
    expect(done).toEqual({ folder: cpu(), version: '2.21.0', build: 'cpu', selfTest: RESULT });
    expect((await readdir(cpu())).sort()).toEqual([...LIBRARY_FILES].sort());
    expect((await readdir(engineHome())).sort()).toEqual(['self-test.json', 'tensorflow-2.21.0-cpu']);
    expect([seen, tried]).toEqual([['cpu'], [cpu()]]);
    await setUpEngine({ tryOut });
    expect(index.ranges).toHaveLength(1);
    expect(tried).toHaveLength(2);
  });

  it('resumes a wheel that an earlier process began', async () => {
    const begun = join(engineHome(), 'downloads', 'stub-1.0.whl.incomplete');
    await mkdir(join(engineHome(), 'downloads'), { recursive: true });
    await writeFile(begun, (await readFile(join(folder(), 'index', 'stub.whl'))).subarray(0, 700_000));
    await setUpEngine({ tryOut });
    expect(index.ranges).toEqual(['bytes=700000-']);
    expect((await readdir(cpu())).sort()).toEqual([...LIBRARY_FILES].sort());
    expect((await readdir(engineHome())).sort()).toEqual(['self-test.json', 'tensorflow-2.21.0-cpu']);
  });

  it('fails if the libraries do not compute, and does not download them again', async () => {
    const fails = () => Promise.reject(new Error('wrong product'));
    await expect(setUpEngine({ tryOut: fails })).rejects.toThrow('wrong product');
    await setUpEngine({ tryOut });
    expect(index.ranges).toHaveLength(1);
  });

  it('is refused while another process sets it up', async () => {
    await mkdir(engineHome(), { recursive: true });
    const unlock = await lockFolder(engineHome());
    await expect(setUpEngine({ tryOut })).rejects.toThrow(/^Another set-up of the engine is running: Process \d+/);
    await unlock();
    expect(index.ranges).toEqual([]);
    await setUpEngine({ tryOut });
  });

  it.each<[string, Machine, string]>([
    ['Windows', { platform: 'win32', arch: 'x64', libc: null }, 'does not run on Windows'],
    ['musl', { platform: 'linux', arch: 'x64', libc: 'musl' }, 'need glibc'],
    ['an Intel Mac', { platform: 'darwin', arch: 'x64', libc: null }, 'no longer built for Intel Macs'],
    ['another processor', { platform: 'linux', arch: 'riscv64', libc: 'glibc' }, 'linux on riscv64'],
  ])('is refused on %s before anything is downloaded', async (_name, machine, reason) => {
    here.machine = machine;
    await expect(setUpEngine({ tryOut })).rejects.toMatchObject({
      message: expect.stringContaining(reason),
      hint: expect.stringMatching(/\.$/),
    });
    expect(index.ranges).toEqual([]);
    expect(await readdir(engineHome())).toEqual([]);
  });

  it('says that pip is missing', async () => {
    vi.stubEnv('PATH', join(folder(), 'nothing'));
    await expect(setUpEngine({ tryOut })).rejects.toThrow('Python with pip was not found');
    expect(await readdir(engineHome())).toEqual([]);
  });
});

describe('the user’s own libraries', () => {
  it('are used once they passed the test, until pinned ones were requested and installed', async () => {
    const own = await chooseOwn();
    expect(locateEngine()).toEqual({ folder: own, version: 'unknown', build: 'own' });
    pinned.wheel = { ...index.wheel, sha256: '0'.repeat(64) };
    await expect(setUpEngine({ tryOut })).rejects.toThrow('sha256');
    expect(locateEngine()?.folder).toBe(own);
    pinned.wheel = index.wheel;
    await setUpEngine({ tryOut });
    expect(existsSync(ownLibrariesFile())).toBe(false);
    expect(locateEngine()?.build).toBe('cpu');
  });

  it('are not used if they do not load', async () => {
    await setUpEngine({ tryOut });
    const own = await libraries(join(folder(), 'own'));
    // The real self-test.
    await expect(setUpEngine({ libtensorflow: own })).rejects.toMatchObject({
      message: expect.stringContaining(`libraries in ${own} cannot be loaded`),
    });
    expect(existsSync(ownLibrariesFile())).toBe(false);
    expect(JSON.parse(await readFile(join(engineHome(), 'self-test.json'), 'utf8')).libraries.folder).toBe(cpu());
  });

  it('are not suggested on a machine where no library can be loaded', async () => {
    here.machine = { platform: 'win32', arch: 'x64', libc: null };
    const own = await libraries(join(folder(), 'own'));
    await expect(setUpEngine({ libtensorflow: own, tryOut })).rejects.toThrow('does not run on Windows');
    expect(tried).toEqual([]);
  });

  it('are refused if they do not exist', async () => {
    await expect(setUpEngine({ libtensorflow: folder(), tryOut })).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('set-up with --if-missing', () => {
  const ifMissing = () => setUpEngine({ ifMissing: true, tryOut });

  it('keeps an engine that was tested: the user’s own libraries', async () => {
    const own = await chooseOwn();
    expect(await ifMissing()).toEqual({ folder: own, version: 'unknown', build: 'own', selfTest: RESULT });
    expect(tried).toEqual([own]);
    expect(existsSync(ownLibrariesFile())).toBe(true);
    expect(index.ranges).toEqual([]);
  });

  it('tests an engine that was not tested', async () => {
    await libraries(cpu());
    expect(await ifMissing()).toMatchObject({ folder: cpu() });
    expect(await ifMissing()).toMatchObject({ folder: cpu() });
    expect(tried).toEqual([cpu()]);
    expect(index.ranges).toEqual([]);
  });

  it('downloads an engine if there is none', async () => {
    expect(await ifMissing()).toMatchObject({ folder: cpu() });
    expect(index.ranges).toHaveLength(1);
  });
});
