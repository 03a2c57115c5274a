/** A conversion folder without weights: the files that a report reads. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bltConfigFor, configText, deriveLocalSizes, toTransformersConfig } from '../../src/blt/index.js';
import { resultOf } from './evaluation-results.js';
import { manifestOf } from './release.js';

const line = (values: object) => `${JSON.stringify({ time: '2026-01-01T00:00:00.000Z', ...values })}\n`;

/** The log of a run of so many steps of 1,000 bytes, whose loss falls from `first`. */
function logOf(steps: number, first: number): string {
  let text = line({ step: 0, validation_bits_per_byte: first, flops: 0 });
  for (let step = 1; step <= steps; step++)
    text += line({ step, train_bits_per_byte: first - step / steps, bytes: 1000, flops: step * 1e12 });
  const end = { step: steps, validation_bits_per_byte: first - 1, source_bits_per_byte: 1, flops: steps * 1e12 };
  return text + line(end);
}

/** The sizes of the embedded model. */
const SOURCE = {
  ...{ hiddenSize: 128, layers: 6, heads: 4, kvHeads: 2, intermediateSize: 352, rmsNormEps: 1e-5 },
  rope: { type: 'default', theta: 10_000 },
} as const;

const tensor = (name: string, from: string | null) => ({
  name,
  shape: [64, 32],
  dtype: 'F32',
  ...(from === null ? { origin: 'fresh', std: 0.1 } : { origin: 'copied', from }),
});

/** @param dir a folder to fill */
export async function fabricateConversion(dir: string): Promise<void> {
  for (const folder of ['run/stage-0', 'patcher/run', 'init', 'evaluation', 'source'])
    await mkdir(join(dir, folder), { recursive: true });
  await writeFile(join(dir, 'byteify.json'), JSON.stringify(manifestOf({ model: '<i>&model' })));
  await writeFile(join(dir, 'recipe.yaml'), 'name: r # <b>\n');
  await writeFile(join(dir, 'patcher/run/metrics.jsonl'), logOf(50, 8));
  await writeFile(join(dir, 'run/stage-0/metrics.jsonl'), logOf(20, 3));
  await writeFile(join(dir, 'run/metrics.jsonl'), `${logOf(1000, 2)}{"step":1001,"train_`);
  const report = {
    seed: 1,
    tensors: [
      ...[0, 1, 2].map((i) => tensor(`model.global.layers.${i}.q`, `model.layers.${i}.q`)),
      tensor('model.encoder.embed', null),
    ],
    dropped: [{ name: 'lm_head.weight', shape: [64, 32], dtype: 'F32', reason: 'bytes have a head of their own' }],
    ...{ copied_bytes: 1, copied_parameters: 3, fresh_parameters: 1, total_bytes: 2 },
  };
  await writeFile(join(dir, 'init/remap-report.json'), JSON.stringify(report));
  const config = bltConfigFor(SOURCE, deriveLocalSizes(SOURCE));
  await writeFile(join(dir, 'init/config.json'), configText(toTransformersConfig(config, 'float32')));
  await copyFile(new URL('../../assets/tiny-llama/config.json', import.meta.url), join(dir, 'source/config.json'));
  for (const suite of ['bpb', 'choice'])
    await writeFile(join(dir, 'evaluation', `${suite}.json`), JSON.stringify(resultOf(suite)));
}
