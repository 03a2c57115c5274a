import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { buildStore, createPacker, openStore } from '../../src/data/index.js';
import { freePort } from '../../src/net/index.js';
import { openCheckpoint, toFloat32 } from '../../src/safetensors/index.js';
import { runCli } from '../support/cli.js';
import { OWN_TEXT, tinyConversion } from '../support/conversions.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('../../torch', import.meta.url));

/** Every setting that the two loops could understand differently. */
const RECIPE = `name: handed-over
stages:
  - kind: end-to-end
    steps: 3
    batch_bytes: 2048
    sequence_length: 256
    micro_batch_size: 3
    learning_rate: 2.0e-4
    learning_rate_scale: { global: 0.25, hash: 2 }
    warmup_steps: 2
    epsilon: 1.0e-6
    schedule: linear
    min_learning_rate_ratio: 0.5
    clip_norm: 5
    validate_every: 3
    checkpoint_every: 3
evaluate: { validation_bytes: 512 }
data: { max_document_bytes: 600, validation_fraction: 0.05 }
hardware: { mode: graph }
`;

const folder = temporaryFolder();

async function ok(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { env: { BYTEIFY_THREADS: '1' } });
  expect(stderr).not.toContain('error:');
  expect(code, stderr).toBe(0);
  return stdout;
}

/** Trains a hand-over with two processes. */
async function torchrun(script: string): Promise<void> {
  const options = { env: { ...process.env, OMP_NUM_THREADS: '1', HF_HUB_OFFLINE: '1' } };
  const master = ['--master-addr', '127.0.0.1', '--master-port', String(await freePort('127.0.0.1'))];
  const launcher = join(dirname(peersPython()!), 'torchrun');
  await run(launcher, ['--nproc-per-node', '2', ...master, script], options);
}

/** The steps of a metrics file; lines of evaluations are left out. */
const stepsIn = async (path: string): Promise<Record<string, number>[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ train_bits_per_byte: loss }) => loss !== undefined);

async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  const reader = await openCheckpoint(path);
  const values = new Map<string, Float32Array>();
  for (const { name, dtype } of reader.tensors.values()) values.set(name, toFloat32(await reader.read(name), dtype));
  await reader.close();
  return values;
}

/** The norm of a difference. */
const distance = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));

describe.skipIf(peersPython() === null)('the scripts of byteify export --format torch', () => {
  it('take the steps of byteify finetune with two processes, and byteify takes the result back', async () => {
    const { folder: conversion } = await tinyConversion();
    const [blt, recipe] = [join(conversion, 'blt'), join(folder(), 'recipe.yaml')];
    await writeFile(recipe, RECIPE);
    const [hand, ours, back] = ['hand', 'ours', 'back'].map((name) => join(folder(), name)) as [string, string, string];
    const training = ['--recipe', recipe, '--data', ...OWN_TEXT];
    await ok(['export', blt, '--format', 'torch', '--out', hand, ...training]);
    await Promise.all([torchrun(join(hand, 'train.py')), ok(['finetune', blt, '--out', ours, ...training])]);

    const [theirSteps, ourSteps] = [
      await stepsIn(join(hand, 'run/metrics.jsonl')),
      await stepsIn(join(ours, 'run/metrics.jsonl')),
    ];
    expect(theirSteps.map(({ step }) => step)).toEqual([1, 2, 3]);
    for (const [i, mine] of ourSteps.entries()) {
      const theirs = theirSteps[i]!;
      expect(theirs.bytes).toBe(mine.bytes);
      expect(theirs.learning_rate).toBeCloseTo(mine.learning_rate!, 12);
      const apart = (name: string) => Math.abs(theirs[name]! / mine[name]! - 1);
      expect(apart('train_bits_per_byte'), `loss of step ${i + 1}`).toBeLessThan(1e-4);
      // Where a gradient is close to zero, rounding decides how AdamW moves a weight, and that grows from step to step.
      expect(apart('gradient_norm'), `gradient norm of step ${i + 1}`).toBeLessThan(i === 0 ? 1e-4 : 2e-3);
    }

    // AdamW moves each tensor alike, and leaves the same ones alone.
    const [start, theirs, mine] = await Promise.all([
      weightsOf(join(hand, 'model')),
      weightsOf(join(hand, 'run/checkpoint-000003')),
      weightsOf(join(ours, 'run/checkpoint-000003')),
    ]);
    for (const [name, before] of start) {
      const moved = distance(mine.get(name)!, before);
      expect(distance(theirs.get(name)!, mine.get(name)!), name).toBeLessThanOrEqual(0.3 * moved);
    }

    await ok(['import', hand, '--out', back]);
    const provenance = JSON.parse(await readFile(join(back, 'provenance.json'), 'utf8'));
    expect(provenance.source.model).toBe('builtin:tiny-llama');
    expect(provenance.trained_elsewhere).toMatchObject([{ script: 1, steps: 3 }]);
    const text = join(folder(), 'text.txt');
    await writeFile(text, readFileSync(join(OWN_TEXT[0]!, 'README.md.txt'), 'utf8').slice(0, 1500));
    const scored = JSON.parse(await ok(['score', back, text, '--json'])) as { bits_per_byte: number };
    const peer = await askPeer<{ bits_per_byte: number }>('torch_bits.py', [back, text]);
    expect(peer).toMatchObject({ missing: [], unexpected: [] });
    expect(scored.bits_per_byte).toBeCloseTo(peer.bits_per_byte, 4);
  });

  it('pack the documents that byteify packs, by weight and over several epochs', async () => {
    const paths = OWN_TEXT.map((path) => join(path, 'README.md.txt'));
    const other = [join(OWN_TEXT[0]!, 'src-model-blt.ts.txt'), join(OWN_TEXT[0]!, 'src-remap-remap.ts.txt')];
    const [rowBytes, seed, rows] = [256, 11, 400];
    const stores: string[] = [];
    const wanted: unknown[] = [];
    for (const weights of [null, [3, 1]]) {
      const store = join(folder(), `store-${weights}`);
      const domain = { kind: 'text', longer: 'cut' } as const;
      await buildStore({
        domains: [
          { ...domain, name: 'prose', paths, chunkBytes: 300, weight: weights?.[0] ?? null },
          { ...domain, name: 'code', paths: other, chunkBytes: 200, weight: weights?.[1] ?? null },
        ],
        ...{ out: store, validationFraction: 0.2, seed: 5, textKey: 'text' },
      });
      const { train, close } = await openStore(store);
      const packed = await createPacker({ split: train, domains: train.domains, rowBytes, seed }).next(rows);
      expect(rows * rowBytes).toBeGreaterThan(2 * train.byteCount);
      stores.push(store);
      wanted.push(
        packed.flatMap(({ ids, targets, documents, weights: counted }) =>
          documents.map(({ start, end }) => {
            // EOS predicts nothing, so a document that ends in its row is not predicted beyond it.
            const last = counted[end - 1] === 1 ? [targets[end - 1]] : [];
            return [...ids.subarray(start, end), ...last];
          }),
        ),
      );
      await close();
    }
    const args = [SCRIPTS, rowBytes, seed, rows, ...stores].map(String);
    expect(await askPeer('torch_rows.py', args)).toEqual(wanted);
  });
});
