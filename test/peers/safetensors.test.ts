import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseHeader } from '../../src/safetensors/header.js';
import {
  fromFloat32,
  openSafetensorsFile,
  type TensorInfo,
  writeSafetensorsFile,
} from '../../src/safetensors/index.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-safetensors-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.skipIf(peersPython() === null)('Python’s safetensors', () => {
  it('reads what byteify writes, and vice versa, byte for byte', async () => {
    const [ours, theirs] = [join(work, 'ours.safetensors'), join(work, 'theirs.safetensors')];
    const values = Float32Array.from({ length: 12 }, (_, i) => (i - 5) / 4);
    const infos: TensorInfo[] = (['F32', 'BF16', 'F16'] as const).map((dtype) => ({
      name: `of ${dtype} é`,
      dtype,
      shape: [3, 4],
    }));
    infos.push({ name: 'scalar', dtype: 'F32', shape: [] }, { name: 'empty', dtype: 'F32', shape: [0, 4] });
    const bytesOf = ({ dtype, shape }: TensorInfo) =>
      fromFloat32(
        values.slice(
          0,
          shape.reduce((a, b) => a * b, 1),
        ),
        dtype as 'F32',
      );
    await writeSafetensorsFile(ours, infos, bytesOf);
    const peer = await askPeer<{ metadata: object; tensors: Record<string, [string, number[], number]> }>(
      'read_safetensors.py',
      [ours, theirs],
    );
    expect(peer.metadata).toEqual({ format: 'pt' });
    const types = { F32: 'torch.float32', BF16: 'torch.bfloat16', F16: 'torch.float16' } as Record<string, string>;
    for (const { name, dtype, shape } of infos) {
      const sum = values
        .slice(
          0,
          shape.reduce((a, b) => a * b, 1),
        )
        .reduce((a, b) => a + b, 0);
      expect(peer.tensors[name], name).toEqual([types[dtype], shape, sum]);
    }
    const reader = await openSafetensorsFile(theirs);
    expect(reader.metadata).toEqual({ written: 'by python' });
    for (const info of infos) expect(await reader.read(info.name), info.name).toEqual(bytesOf(info));
    await reader.close();
  });

  it('has the same types, with the same sizes of packed ones', async () => {
    const shapes = [[0], [1], [2], [3], [4], [2, 2], [8], [3, 8]];
    const list = join(work, 'headers.json');
    const ask = async (headers: readonly (readonly [object, number])[]) => {
      await writeFile(list, JSON.stringify(headers));
      return askPeer<{ types: string[]; refusals: (string | null)[] }>('safetensors_headers.py', [list]);
    };
    const { types } = await ask([]);
    expect(types.length).toBeGreaterThan(20);
    const cases = types.flatMap((dtype) =>
      shapes.flatMap((shape) =>
        [0, 1, 2, 3, 4, 6, 8, 12, 16, 18, 24].map((size) => ({ dtype, shape, data_offsets: [0, size] })),
      ),
    );
    const { refusals } = await ask(cases.map((entry) => [{ t: entry }, entry.data_offsets[1]!]));
    const taken = cases.map((entry) => {
      const header = new TextEncoder().encode(JSON.stringify({ t: entry }));
      try {
        return parseHeader(header, entry.data_offsets[1]!, 'x').tensors.size === 1;
      } catch {
        return false;
      }
    });
    expect(taken.filter(Boolean).length).toBeGreaterThan(types.length);
    const differ = cases.filter((_, i) => taken[i] !== (refusals[i] === null));
    expect(differ).toEqual([]);
  });
});
