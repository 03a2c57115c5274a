import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { lossAndGradients } from '../../src/finetune/loop/gradients.js';
import { nextTokenObjective } from '../../src/finetune/token-baseline/next-token-objective.js';
import { batchTensors, openLlamaModel, PATCHER_FIELDS } from '../../src/model/index.js';
import { byteBatch, learningFields } from '../../src/patching/index.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { askPeer, peersPython } from '../support/peers.js';

const LLAMA = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'byteify-baseline-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Two documents in one row, with padding after them. */
const TEXTS = ['A function returns the first value of a list.', 'x = 12 + 34'];
const PADDING = 5;

const direction = (i: number) => ((i * 7919) % 1009) / 1009 - 0.5;

describe.skipIf(peersPython() === null)('the next-token objective', () => {
  beforeAll(() => startEngine({ threads: 2 }));

  it('has the loss and the gradients of PyTorch', async () => {
    const tokenizer = await loadTokenizer(LLAMA);
    const documents = TEXTS.map((text) => [0, ...tokenizer.encode(text), 1]);
    const path = join(work, 'documents.json');
    await writeFile(path, JSON.stringify(documents));
    const peer = await askPeer<{ loss: number; gradients: Record<string, [number, number]> }>('llama_gradients.py', [
      LLAMA,
      path,
    ]);

    let at = 0;
    const ranges = documents.map(({ length }) => {
      at += length;
      return { start: at - length, end: at };
    });
    const ids = Int32Array.from([...documents.flat(), ...Array(PADDING).fill(1)]);
    const targets = new Int32Array(ids.length);
    const weights = new Float32Array(ids.length);
    for (const { start, end } of ranges)
      for (let position = start; position + 1 < end; position++) {
        targets[position] = ids[position + 1]!;
        weights[position] = 1;
      }
    const row = { ids, documents: ranges };
    const { params, config, ropeLayout, dispose } = await openLlamaModel(LLAMA);
    const objective = nextTokenObjective(config, ropeLayout);
    const batch = batchTensors({ ...byteBatch([row]), ...learningFields([{ targets, weights }]) }, [
      ...PATCHER_FIELDS,
      'targets',
      'weights',
    ]);
    const { loss, gradients } = lossAndGradients(params, (values) => objective.loss(values, batch, {}).value);
    expect(loss.dataSync()[0]! / peer.loss).toBeCloseTo(1, 4);
    const names = [...params.keys()];
    expect([...names].sort()).toEqual(Object.keys(peer.gradients).sort());
    [...params.keys()].forEach((name, i) => {
      const values = gradients[i]!.dataSync() as Float32Array;
      const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
      const product = values.reduce((sum, value, k) => sum + value * direction(k), 0);
      const [peerNorm, peerProduct] = peer.gradients[name]!;
      expect(norm / peerNorm, name).toBeCloseTo(1, 3);
      expect(Math.abs(product - peerProduct) / peerNorm, name).toBeLessThan(1e-3);
    });
    dispose();
  });
});
