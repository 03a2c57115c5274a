import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bitsPerByte } from '../../src/blt/index.js';
import { startEngine } from '../../src/engine/index.js';
import { evaluateSuites, SUITES } from '../../src/evaluate/index.js';
import { partsOf } from '../../src/evaluate/suites/documents.js';
import { longGolden } from '../support/long-golden.js';
import { askPeer, peersPython } from '../support/peers.js';
import { suiteOptions } from '../support/suite-items.js';

const LLAMA = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const BOS = '0';

const work = mkdtempSync(join(tmpdir(), 'byteify-evaluation-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const DOCUMENTS = {
  long: 'Im Frühling blühen die Bäume, und 12 Vögel singen; だから窓を開けます。 '.repeat(70),
  short: 'The model reads a document of a few hundred bytes at once, and so does its source. '.repeat(5),
};

describe.skipIf(peersPython() === null)('the suite bpb', () => {
  beforeAll(() => startEngine({ threads: 2 }));

  it('has the bits per byte of PyTorch, of the model and of its source', async () => {
    const model = await longGolden(join(work, 'model'));
    const paths = await Promise.all(
      Object.entries(DOCUMENTS).map(async ([name, text]) => {
        const path = join(work, `${name}.txt`);
        await writeFile(path, text);
        return path;
      }),
    );
    const bpb = SUITES.find(({ name }) => name === 'bpb')!;
    const [result] = await evaluateSuites({
      ...suiteOptions({ dir: model, data: paths }),
      suites: [{ suite: bpb, settings: {} }],
      source: { name: 'tiny-llama', folder: LLAMA },
      out: join(work, 'out'),
    });
    const measured = (kind: string) => result!.groups.find(({ group }) => group === kind)!.metrics.bits_per_byte!;
    for (const [kind, document] of Object.entries(DOCUMENTS)) {
      const parts = [...partsOf({ id: kind, kind, isText: true, text: Buffer.from(document) })].map(
        ({ before, text }) => ({
          before: Buffer.from(before).toString(),
          text: Buffer.from(text).toString(),
        }),
      );
      expect(parts.length).toBe(kind === 'long' ? 2 : 1);
      const path = join(work, `${kind}.json`);
      await writeFile(path, JSON.stringify(parts));
      const peer = await askPeer<Record<'model' | 'source', (number | null)[]>>('evaluation.py', [
        model,
        LLAMA,
        BOS,
        path,
      ]);
      const bits = (nats: readonly (number | null)[]) =>
        bitsPerByte(
          nats.reduce<number>((sum, one) => sum + one!, 0),
          Buffer.byteLength(document),
        );
      expect(measured(kind).model.value).toBeCloseTo(bits(peer.model), 4);
      if (!peer.source.includes(null)) expect(measured(kind).source!.value).toBeCloseTo(bits(peer.source), 4);
    }
    expect(measured('short').source!.value).toBeGreaterThan(0);
  });
});
