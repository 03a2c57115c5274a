import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { llamaBitsPerByte } from '../../src/evaluate/index.js';
import { importModel } from '../../src/import/index.js';
import { halfOrder, openLlama, reorderRows } from '../../src/llama/index.js';
import { openLlamaModel } from '../../src/model/index.js';
import { writeCheckpoint } from '../../src/safetensors/index.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { smollm2Gguf } from '../support/conversions.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-llama-peer-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const TEXTS = [
  'The mitochondrion is the powerhouse of the cell, or so every schoolbook says.',
  'naïve café, 東京タワー — Привет, мир! 🎉 1234567890',
  'def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)\n',
  '  leading spaces,\ttabs,\n\n\nand blank lines   ',
];

/** A GGUF file as the transformers folder from which it was made, with q and k rows back in the half layout. */
async function asTransformersFolder(imported: string): Promise<string> {
  const folder = mkdtempSync(join(work, 'transformers-'));
  const source = await openLlama(imported);
  const headDim = source.config.hiddenSize / source.config.heads;
  await writeCheckpoint(folder, [...source.reader.tensors.values()], async ({ name, shape }) => {
    const bytes = await source.reader.read(name);
    return /self_attn\.[qk]_proj/.test(name) ? reorderRows(bytes, halfOrder(shape[0]!, headDim)) : bytes;
  });
  await source.close();
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    await copyFile(join(imported, name), join(folder, name));
  return folder;
}

describe.skipIf(peersPython() === null)('a source on text', () => {
  beforeAll(async () => {
    await startEngine({ threads: 2 });
    writeFileSync(join(work, 'texts.json'), JSON.stringify(TEXTS));
  });

  const compare = async (folder: string, forPeer: string) => {
    const model = await openLlamaModel(folder);
    const tokenizer = await loadTokenizer(folder);
    const bos = tokenizer.bosId ?? model.config.bosId ?? 0;
    const peer = await askPeer<{ bits_per_byte: number; ids: number[][] }>('llama.py', [
      forPeer,
      join(work, 'texts.json'),
      String(bos),
    ]);
    expect(TEXTS.map((text) => tokenizer.encode(text))).toEqual(peer.ids);
    const { bitsPerByte } = await llamaBitsPerByte(
      model,
      tokenizer,
      TEXTS.map((text) => new TextEncoder().encode(text)),
    );
    expect(Math.abs(bitsPerByte - peer.bits_per_byte)).toBeLessThan(0.001);
    model.dispose();
  };

  it('has the token ids and the bits per byte of PyTorch: SmolLM2-135M from a GGUF', async () => {
    const imported = join(work, 'smollm2');
    await importModel({ model: await smollm2Gguf(), out: imported });
    await compare(imported, await asTransformersFolder(imported));
  });

  it('has the token ids and the bits per byte of PyTorch: the embedded tiny Llama', async () => {
    const tiny = fileURLToPath(new URL('../../assets/tiny-llama', import.meta.url));
    await readFile(join(tiny, 'config.json'));
    await compare(tiny, tiny);
  });
});
