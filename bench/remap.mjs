// Compares the speed of remap with a plain copy of the same file, alternating in one run, and reports the peak memory of the remapping
// process.
// Run: npm run bench:remap [-- --layers 8 --rounds 3 --json]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bltConfigFor, deriveLocalSizes } from '../dist/blt/index.js';
import { llamaTensors, openLlama, parseLlamaConfig } from '../dist/llama/index.js';
import { remap } from '../dist/remap/index.js';
import { tensorBytes, writeCheckpoint } from '../dist/safetensors/index.js';

const { values } = parseArgs({
  options: {
    layers: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});

/** Layers of the width of Llama 3.2 1B, with a small vocabulary and small local models, so that copying the layers dominates. */
const CONFIG = {
  model_type: 'llama',
  vocab_size: 256,
  hidden_size: 2048,
  num_hidden_layers: Number(values.layers),
  num_attention_heads: 32,
  num_key_value_heads: 8,
  intermediate_size: 8192,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

async function remapOnce(folder) {
  const source = await openLlama(join(folder, 'llama'));
  const sizes = {
    ...deriveLocalSizes(source.config),
    hashVocab: 100,
    decoderLayers: 2,
    patcher: { hiddenSize: 128, layers: 1, heads: 2, intermediateSize: 256, window: 512 },
  };
  const begun = performance.now();
  const report = await remap({
    source,
    config: bltConfigFor(source.config, sizes),
    out: join(folder, 'blt'),
    seed: 1,
    dtype: 'source',
  });
  const ms = performance.now() - begun;
  await source.close();
  return { ms, bytes: report.total_bytes, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
}

async function copyOnce(folder) {
  const begun = performance.now();
  await copyFile(join(folder, 'llama', 'model.safetensors'), join(folder, 'copy.safetensors'));
  const file = await open(join(folder, 'copy.safetensors'));
  await file.sync(); // as remap does
  await file.close();
  return performance.now() - begun;
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'byteify-bench-'));
  try {
    mkdirSync(join(folder, 'llama'));
    writeFileSync(join(folder, 'llama', 'config.json'), JSON.stringify(CONFIG));
    const infos = llamaTensors(parseLlamaConfig(CONFIG, 'config.json')).map((tensor) => ({
      ...tensor,
      dtype: /** @type {const} */ ('BF16'),
    }));
    await writeCheckpoint(join(folder, 'llama'), infos, (info) => new Uint8Array(tensorBytes(info)).fill(0x3c), {
      maxShardBytes: 1e12,
    });
    const sourceBytes = statSync(join(folder, 'llama', 'model.safetensors')).size;
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const copyMs = await copyOnce(folder);
      rmSync(join(folder, 'copy.safetensors'));
      // A process of its own, whose peak memory is that of remap alone.
      const child = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), '--child', folder, '--layers', values.layers],
        { encoding: 'utf8' },
      );
      if (child.status !== 0) throw new Error(child.stderr);
      const { ms, bytes, peakRssBytes } = JSON.parse(child.stdout);
      rmSync(join(folder, 'blt'), { recursive: true });
      rounds.push({
        copy_mb_per_second: sourceBytes / copyMs / 1e3,
        remap_mb_per_second: bytes / ms / 1e3,
        peak_rss_bytes: peakRssBytes,
      });
    }
    if (values.json) return console.log(JSON.stringify({ source_bytes: sourceBytes, rounds }, null, 2));
    console.log(`${(sourceBytes / 1e9).toFixed(2)} GB of bfloat16 layers\ncopy MB/s   remap MB/s   peak memory`);
    for (const round of rounds) {
      const columns = [
        round.copy_mb_per_second.toFixed(0).padStart(9),
        round.remap_mb_per_second.toFixed(0).padStart(12),
      ];
      console.log(`${columns.join(' ')} ${(round.peak_rss_bytes / 1e6).toFixed(0).padStart(10)} MB`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.child === undefined) await main();
else console.log(JSON.stringify(await remapOnce(values.child)));
