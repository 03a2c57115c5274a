import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openDataset } from '../../src/hub/index.js';
import { type Hub, type HubOptions, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const ID = 'datasets/org/name';
const FILES = {
  'README.md': '---\nlicense: odc-by\n---\n',
  'data/a.parquet': 'PAR1 a',
  'data/b.jsonl': '{"text":"b"}\n',
};
const cache = temporaryFolder();
let hub: Hub;

afterEach(() => hub.close());

async function serve(options: Partial<HubOptions> = {}): Promise<void> {
  hub = await startHub({
    repos: { [ID]: FILES, [`${ID}@refs/convert/parquet`]: { 'x.parquet': 'PAR1 x' } },
    ...options,
  });
}

const open = (id = ID, changes: { offline?: boolean; endpoint?: string } = {}) =>
  openDataset(id, {
    environment: { endpoint: hub.url, cacheDir: cache(), token: null, offline: false, ...changes },
    sleep: async () => undefined,
  });

const contentsOf = async (id?: string, changes?: Parameters<typeof open>[1]) => {
  const { files } = await open(id, changes);
  const entries = await Promise.all(
    files.map(async ({ path, fetch }) => [path, await readFile(await fetch(), 'utf8')]),
  );
  return Object.fromEntries(entries);
};

describe('a dataset of the hub', () => {
  it('is listed without downloading, and each file is downloaded once, into the layout of huggingface_hub', async () => {
    await serve();
    const { commit, files } = await open();
    expect(files.map(({ path }) => path)).toEqual(Object.keys(FILES));
    expect(hub.contentRequests()).toEqual([]);
    expect(await files[1]!.fetch()).toBe(join(cache(), 'datasets--org--name/snapshots', commit, 'data/a.parquet'));
    const requests = hub.contentRequests().length;
    expect(await contentsOf()).toEqual(FILES);
    expect(hub.contentRequests().filter(({ url }) => url.includes('a.parquet'))).toHaveLength(requests);
  });

  it('has other revisions, with a slash in them as well', async () => {
    await serve();
    expect(await contentsOf(`${ID}@refs/convert/parquet`)).toEqual({ 'x.parquet': 'PAR1 x' });
    await expect(open(`${ID}@other`)).rejects.toThrow('datasets/org/name has no revision "other".');
  });

  it('can be fetched by several processes at once', async () => {
    await serve();
    const [one, other] = [await open(), await open()];
    const paths = await Promise.all([one.files[1]!.fetch(), other.files[1]!.fetch(), one.files[1]!.fetch()]);
    expect(new Set(paths).size).toBe(1);
    expect(await readFile(paths[0]!, 'utf8')).toBe('PAR1 a');
  });

  it('is used from the cache offline, as far as it is there', async () => {
    await serve();
    await contentsOf();
    expect(await contentsOf(ID, { offline: true })).toEqual(FILES);
    expect(await contentsOf(ID, { endpoint: 'http://127.0.0.1:1' })).toEqual(FILES);
    await rm(join(cache(), 'datasets--org--name'), { recursive: true });
    await expect(open(ID, { offline: true })).rejects.toThrow(
      'Offline mode is on (HF_HUB_OFFLINE), and datasets/org/name is not in the cache.',
    );
  });

  it('that does not exist is named', async () => {
    await serve();
    await expect(open('datasets/org/other')).rejects.toThrow(
      'There is no dataset datasets/org/other on the hub that this account can read.',
    );
    await expect(open('datasets/name')).rejects.toThrow('"datasets/name" is not the id of a dataset.');
  });
});
