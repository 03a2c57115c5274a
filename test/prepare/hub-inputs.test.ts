import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepare, preparedDocuments } from '../../src/prepare/index.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const line = (text: string) => `${JSON.stringify({ text })}\n`;
let hub: Hub;

beforeEach(async () => {
  const files = {
    'README.md': '---\nlicense: odc-by\n---\n# Texts\n',
    'dataset_infos.json': '{"default": {}}',
    'train/b.jsonl.gz': gzipSync(line('two') + line('three')),
    'train/a.jsonl': line('one'),
    'test/a.jsonl': line('held out'),
  };
  hub = await startHub({ repos: { 'datasets/org/name': files, 'datasets/org/empty': { 'a.png': 'x' } } });
});
afterEach(() => hub.close());

async function run(input: string, licences = new Map<string, string>()) {
  const out = join(folder(), 'out');
  const environment = { endpoint: hub.url, cacheDir: join(folder(), 'cache'), token: null, offline: false };
  const { prepared } = await prepare({
    ...{ inputs: [input], licences, stdin: () => process.stdin, hub: { environment, sleep: async () => undefined } },
    ...{ out, kind: 'text', column: 'text', shardBytes: 1024, part: 0, parts: 1 },
    ...{ identity: { patcher: null, tokenizer: null }, segment: null },
    ...{ onRefused: () => undefined, onMerge: () => undefined },
  });
  const texts: string[] = [];
  for await (const { bytes } of preparedDocuments(out)) texts.push(Buffer.from(bytes).toString());
  return { texts, prepared: prepared! };
}

describe('a dataset of the hub as an input', () => {
  it('has the documents of its data files, in the order of their names, and the licence of its card', async () => {
    const { texts, prepared } = await run('hub:datasets/org/name');
    expect(texts).toEqual(['held out', 'one', 'two', 'three']);
    expect(prepared).toMatchObject({ licenses: ['odc-by'], refused_count: 0 });
    expect(prepared.inputs.map(({ name }) => name.replace(/@[0-9a-f]{40}/, '@COMMIT'))).toEqual(
      ['test/a.jsonl', 'train/a.jsonl', 'train/b.jsonl.gz'].map((path) => `hub:datasets/org/name@COMMIT/${path}`),
    );
  });

  it.each([
    ['train', ['one', 'two', 'three']],
    ['*/a.jsonl', ['held out', 'one']],
    ['train/b.jsonl.gz', ['two', 'three']],
  ])('can be limited to the path %s, and only that is downloaded', async (path, expected) => {
    const { texts } = await run(`hub:datasets/org/name@main/${path}`);
    expect(texts).toEqual(expected);
    expect(hub.contentRequests().some(({ url }) => url.includes('test/'))).toBe(expected.includes('held out'));
  });

  it('takes another licence from the command line', async () => {
    const input = 'hub:datasets/org/name/train';
    expect((await run(input, new Map([[input, 'mit']]))).prepared.licenses).toEqual(['mit']);
  });

  it('is refused without files of data', async () => {
    await expect(run('hub:datasets/org/empty')).rejects.toThrow('datasets/org/empty has no files of data.');
    await expect(run('hub:datasets/org/name/val')).rejects.toThrow('datasets/org/name has no files of data under val.');
  });
});
