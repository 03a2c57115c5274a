import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, readBltConfig } from '../../../src/blt/index.js';
import {
  allTexts,
  type ByteStore,
  buildStore,
  createPacker,
  type DomainTexts,
  evaluationTexts,
  openStore,
  textDomain,
} from '../../../src/data/index.js';
import { startEngine, tf } from '../../../src/engine/index.js';
import { llamaBitsPerByte } from '../../../src/evaluate/index.js';
import { tokenAlphabet } from '../../../src/finetune/batches/token-alphabet.js';
import { trainTokenBaseline } from '../../../src/finetune/index.js';
import { writeLlama } from '../../../src/finetune/token-baseline/write-llama.js';
import { locateModel } from '../../../src/import/index.js';
import { interleavedOrder, llamaTensors, openLlama, reorderRows } from '../../../src/llama/index.js';
import { disposeParams, openLlamaModel } from '../../../src/model/index.js';
import { type Recipe, recipeSchema } from '../../../src/recipe/index.js';
import { toFloat32 } from '../../../src/safetensors/index.js';
import { loadTokenizer } from '../../../src/tokenizer/index.js';
import { OWN_TEXT } from '../../support/conversions.js';
import { goldenPath } from '../../support/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-baseline-'));
let source: string;
let store: ByteStore;
let heldOut: DomainTexts[];
let config: BltConfig;

const recipe = (change: object = {}): Recipe =>
  recipeSchema.parse({
    name: 'test',
    stages: [
      {
        ...{ kind: 'end-to-end', steps: 10, batch_bytes: 512, sequence_length: 128, micro_batch_size: 2 },
        ...{ warmup_steps: 1, validate_every: 5, checkpoint_every: 5, frozen: ['global', 'hash'] },
      },
    ],
    token_baseline: { learning_rate: 1e-3 },
    hardware: { mode: 'graph' },
    ...change,
  });

const FLOPS = 1.2e11;

/** @param stopAt the step after which the run is stopped */
async function run(name: string, { stopAt = Number.POSITIVE_INFINITY, of = recipe(), flops = FLOPS } = {}) {
  const controller = new AbortController();
  return trainTokenBaseline({
    ...{ source, config, recipe: of, store, heldOut, flops, settings: 'settings', signal: controller.signal },
    run: join(folder, name, 'run'),
    out: join(folder, name, 'llama'),
    onStep: ({ step }) => {
      if (step === stopAt) controller.abort(new Error('stop'));
    },
  });
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
  source = (await locateModel('builtin:tiny-llama')).path;
  const out = join(folder, 'data');
  const split = { validationFraction: 0.1, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain(OWN_TEXT, 2048)], out, ...split });
  store = await openStore(out);
  heldOut = await evaluationTexts(store.validation, { maxBytes: 4000 });
  config = await readBltConfig(goldenPath('plain/blt'));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const weights = (name: string) => readFile(join(folder, name, 'llama', 'model.safetensors'));

describe('the token baseline', () => {
  it('begins as the source, learns, and is written as a model that is read as it was measured', async () => {
    const metrics = await run('whole');
    const log = (await readFile(join(folder, 'whole', 'run', 'metrics.jsonl'), 'utf8')).trim().split('\n');
    const lines = log.map((line) => JSON.parse(line) as Record<string, number>);
    const tokenizer = await loadTokenizer(source);
    const measure = async (model: string) => {
      const { dispose, ...llama } = await openLlamaModel(model);
      const { bitsPerByte } = await llamaBitsPerByte(llama, tokenizer, allTexts(heldOut));
      dispose();
      return bitsPerByte;
    };
    expect(lines[0]!.validation_bits_per_byte).toBeCloseTo(await measure(source), 5);
    expect(metrics.validation_bits_per_byte).toBeLessThan(lines[0]!.validation_bits_per_byte! - 0.05);
    expect(await measure(join(folder, 'whole', 'llama'))).toBeCloseTo(metrics.validation_bits_per_byte!, 5);
    // Whole steps, so that the last one may be a part of a step off.
    const steps = lines.at(-1)!.step!;
    expect(Math.abs(metrics.flops! / FLOPS - 1)).toBeLessThan(0.6 / steps + 0.05);
  });

  it('is the same if it was stopped', async () => {
    await expect(run('stopped', { stopAt: 3 })).rejects.toThrow('stop');
    await run('stopped');
    expect((await weights('stopped')).equals(await weights('whole'))).toBe(true);
  });

  it('spends the operations that it is given', async () => {
    const { flops } = await run('half', { flops: FLOPS / 2 });
    expect(flops! / FLOPS).toBeGreaterThan(0.35);
    expect(flops! / FLOPS).toBeLessThan(0.65);
  });
});

describe('text as tokens', () => {
  it('is packed with all of its tokens, and its bytes are counted', async () => {
    const tokenizer = await loadTokenizer(source);
    const alphabet = await tokenAlphabet({ folder: source, bos: 0, eos: 1 });
    const { train: split } = store;
    const packer = createPacker({ split, domains: split.domains, alphabet, rowBytes: 64, seed: 1, repeat: true });
    let [bytes, tokens] = [0, 0];
    const texts: string[] = [];
    while (packer.state().epoch === 0 && packer.state().place < split.count) {
      const [row] = await packer.next(1);
      bytes += row!.byteCount;
      for (const { start, end } of row!.documents) {
        expect(row!.ids[start]).toBe(0);
        const ids = [...row!.ids.subarray(start + 1, end)].filter((id) => id !== 1);
        tokens += ids.length;
        texts.push(Buffer.concat(ids.map((id) => tokenizer.tokenBytes(id))).toString());
        for (let at = start; at + 1 < end; at++) expect(row!.targets[at]).toBe(row!.ids[at + 1]);
      }
    }
    expect(bytes).toBe(split.byteCount);
    expect(tokens).toBeLessThan(bytes / 2);
  });
});

describe('a source with its rows in the order of GGUF files', () => {
  it('is written in the order of transformers', async () => {
    const llama = await openLlama(source);
    const names = llamaTensors(llama.config).map(({ name }) => name);
    const { hiddenSize, heads } = llama.config;
    const params = new Map<string, tf.Tensor>();
    for (const name of names) {
      const { shape } = llama.reader.tensors.get(name)!;
      const bytes = await llama.reader.read(name);
      const isRotary = /self_attn\.[qk]_proj/.test(name);
      const stored = isRotary ? reorderRows(bytes, interleavedOrder(shape[0]!, hiddenSize / heads)) : bytes;
      params.set(name, tf.tensor(toFloat32(stored, llama.reader.tensors.get(name)!.dtype), [...shape]));
    }
    const out = join(folder, 'gguf');
    await writeLlama({ ...llama, ropeLayout: 'interleaved' }, params, out);
    disposeParams(params);
    const written = await openLlama(out);
    for (const name of names)
      expect(toFloat32(await written.reader.read(name), 'F32'), name).toEqual(
        toFloat32(await llama.reader.read(name), llama.reader.tensors.get(name)!.dtype),
      );
    expect(written.ropeLayout).toBe('half');
    await written.close();
    await llama.close();
  });
});
