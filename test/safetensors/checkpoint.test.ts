import { readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  INDEX_FILE,
  openCheckpoint,
  SINGLE_FILE,
  type TensorInfo,
  writeCheckpoint,
  writeSafetensorsFile,
} from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { filled, namesIn, refusal } from './samples.js';

const folder = temporaryFolder();
const infos: TensorInfo[] = Array.from({ length: 5 }, (_, i) => ({ name: `t${i}`, dtype: 'U8', shape: [100] }));
const SHARDS = [1, 2, 3].map((i) => `model-0000${i}-of-00003.safetensors`);

async function writeSharded(): Promise<string> {
  expect(await writeCheckpoint(folder(), infos, filled, { maxShardBytes: 250 })).toEqual({
    files: [...SHARDS, INDEX_FILE],
    totalBytes: 500,
  });
  return folder();
}

async function changeIndex(change: (map: Record<string, unknown>) => void): Promise<void> {
  const path = join(await writeSharded(), INDEX_FILE);
  const index = JSON.parse(await readFile(path, 'utf8')) as { weight_map: Record<string, unknown> };
  change(index.weight_map);
  await writeFile(path, JSON.stringify(index));
}

it('shards are read as one, and the index has transformers’ format', async () => {
  const reader = await openCheckpoint(await writeSharded());
  for (const info of infos) expect(await reader.read(info.name)).toEqual(filled(info));
  expect(reader.files).toEqual(SHARDS.map((name) => join(folder(), name)));
  expect(reader.metadata).toEqual({ format: 'pt' });
  expect(await refusal(reader.read('t9'))).toMatch(/lacks the tensor "t9"/);
  await reader.close();
  const index = JSON.parse(await readFile(join(folder(), INDEX_FILE), 'utf8')) as unknown;
  expect(index).toEqual({
    metadata: { total_size: 500 },
    weight_map: { t0: SHARDS[0], t1: SHARDS[0], t2: SHARDS[1], t3: SHARDS[1], t4: SHARDS[2] },
  });
});

it('a tensor larger than a shard gets a separate one', async () => {
  const sizes = [10, 400, 10];
  const tensors = sizes.map((size, i): TensorInfo => ({ name: `t${i}`, dtype: 'U8', shape: [size] }));
  const { files } = await writeCheckpoint(folder(), tensors, filled, { maxShardBytes: 250 });
  expect(files.length).toBe(4);
});

it('one shard is model.safetensors, without an index', async () => {
  expect(await writeCheckpoint(folder(), infos, filled)).toEqual({ files: [SINGLE_FILE], totalBytes: 500 });
  expect(namesIn(folder())).toEqual([SINGLE_FILE]);
});

it('an earlier checkpoint in the folder is never read instead of the new one', async () => {
  const other = (info: TensorInfo) => filled(info).fill(9);
  const first = async () => {
    const reader = await openCheckpoint(folder());
    const [value] = await reader.read('t0');
    await reader.close();
    return value;
  };
  await writeSharded();
  await writeCheckpoint(folder(), infos, other);
  expect(await first()).toBe(9);
  expect(namesIn(folder())).not.toContain(INDEX_FILE);
  await writeSharded();
  expect(await first()).toBe(filled(infos[0]!)[0]);
  expect(namesIn(folder())).not.toContain(SINGLE_FILE);
});

it('the single file takes precedence over shards beside it', async () => {
  await writeSharded();
  const other = infos.map((info) => ({ ...info, name: `other-${info.name}` }));
  await writeSafetensorsFile(join(folder(), SINGLE_FILE), other, filled);
  const reader = await openCheckpoint(folder());
  expect(reader.files).toEqual([join(folder(), SINGLE_FILE)]);
  expect([...reader.tensors.keys()]).toEqual(other.map(({ name }) => name));
  await reader.close();
});

it('shards that could not all be written are removed', async () => {
  const failing = (info: TensorInfo) => (info.name === 't3' ? new Uint8Array(1) : filled(info));
  expect(await refusal(writeCheckpoint(folder(), infos, failing, { maxShardBytes: 250 }))).toMatch(/"t3" needs 100/);
  expect(namesIn(folder())).toEqual([]);
});

it.each<[string, unknown, RegExp]>([
  ['leaves the folder', '../other.safetensors', /places "t0" in "\.\.\/other/],
  ['leaves it through a subfolder', 'a/../../b.safetensors', /places "t0"/],
  ['leaves it with backslashes', '..\\other.safetensors', /places "t0"/],
  ['is absolute', '/etc/passwd', /places "t0" in "\/etc/],
  ['is hidden', '.safetensors', /places "t0"/],
  ['has a zero byte', 'a\0.safetensors', /places "t0" in "a\\u0000/],
  ['is not a string', 1, /places "t0" in a value that is not a string/],
  ['is absent', 'model-00009-of-00003.safetensors', /does not exist/],
])('an index is refused if its shard %s', async (_what, shard, message) => {
  await changeIndex((map) => Object.assign(map, { t0: shard }));
  expect(await refusal(openCheckpoint(folder()))).toMatch(message);
});

it.each<[string, (map: Record<string, unknown>) => void, RegExp]>([
  ['a tensor that its shard lacks', (map) => Object.assign(map, { t9: SHARDS[0] }), /places "t9" .* which lacks it/],
  ['a tensor in the wrong shard', (map) => Object.assign(map, { t0: SHARDS[1] }), /places "t0" .* which lacks it/],
  ['one tensor too few', (map) => delete map.t1, /contains "t1"/],
])('an index is refused if it names %s', async (_what, change, message) => {
  await changeIndex(change);
  expect(await refusal(openCheckpoint(folder()))).toMatch(message);
});

it.each<[string, string, RegExp]>([
  ['is not JSON', '{', /not JSON/],
  ['is a git-lfs pointer', 'version https://git-lfs.github.com/spec/v1\nsize 12\n', /is a git-lfs pointer/],
  ['is empty', '', /index\.json is empty/],
  ['has no weight_map', '{"metadata":{}}', /no weight_map/],
  ['is empty of tensors', '{"weight_map":{}}', /no weight_map/],
  ['lists a tensor twice', '{"weight_map":{"t0":"a.safetensors","t0":"b.safetensors"}}', /names "t0" twice/],
])('an index is refused if it %s', async (_what, text, message) => {
  await writeFile(join(await writeSharded(), INDEX_FILE), text);
  expect(await refusal(openCheckpoint(folder()))).toMatch(message);
});

it('a tensor in two shards is refused', async () => {
  await writeSharded();
  await writeSafetensorsFile(join(folder(), 'more'), infos.slice(0, 4), filled);
  await rename(join(folder(), 'more'), join(folder(), SHARDS[1]!));
  expect(await refusal(openCheckpoint(folder()))).toMatch(/contains "t0", which .* does not place there/);
});

it('a folder without weights is refused', async () => {
  expect(await refusal(openCheckpoint(folder()))).toMatch(/neither model.safetensors nor/);
});

it.each([
  ['pytorch_model.bin', /has its weights only in pytorch_model\.bin/],
  ['consolidated.00.pth', /has its weights only in consolidated\.00\.pth/],
  ['adapter_model.safetensors', /contains adapter_model\.safetensors, but neither/],
  ['training_args.bin', /contains neither model\.safetensors nor/],
])('a folder whose only large file is %s is refused with that reason', async (name, message) => {
  await writeFile(join(folder(), name), '');
  expect(await refusal(openCheckpoint(folder()))).toMatch(message);
});

it('a file that is a dangling link does not count as absent', async () => {
  await symlink('/nowhere', join(folder(), SINGLE_FILE));
  expect(await refusal(openCheckpoint(folder()))).toMatch(/is a link to \/nowhere, which does not exist/);
});
