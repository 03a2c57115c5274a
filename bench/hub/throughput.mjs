// Measures speed and memory: downloads of random files over the loopback interface, each into an empty cache.
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startClient } from './clients.mjs';
import { startLoopback } from './loopback.mjs';

const BLOCK = 2 ** 20;

function randomFile(path, bytes) {
  const file = openSync(path, 'w');
  const block = Buffer.allocUnsafe(BLOCK);
  for (let at = 0; at < bytes; at += BLOCK) {
    randomFillSync(block);
    writeSync(file, block, 0, Math.min(BLOCK, bytes - at));
  }
  closeSync(file);
}

/** Creates a model repository of `count` shards with `bytes` random bytes each, and the usual small files. */
export function makeRepository(folder, { count, bytes }) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const shards = Array.from({ length: count }, (_, i) => `model-0000${i + 1}-of-0000${count}.safetensors`);
  const names = count === 1 ? ['model.safetensors'] : shards;
  for (const name of names) randomFile(join(folder, name), bytes);
  writeFileSync(join(folder, 'config.json'), '{}');
  writeFileSync(join(folder, 'tokenizer.json'), `{"padding": "${'x'.repeat(100_000)}"}`);
  writeFileSync(join(folder, 'README.md'), '# A model\n');
  if (count > 1) {
    const weight_map = Object.fromEntries(names.map((name) => [name, name]));
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
  }
  return folder;
}

/** @returns the seconds and the peak memory that the client reports for one download */
async function download({ client, compiled, source, work }) {
  const home = join(work, 'home');
  rmSync(home, { recursive: true, force: true });
  const hub = await startLoopback(compiled, { repos: { 'org/name': source } });
  try {
    const { code, report, stderr } = await startClient(client, { model: 'org/name', endpoint: hub.url, home }).ended;
    if (code !== 0) throw new Error(`${client} failed: ${stderr}`);
    return report;
  } finally {
    await hub.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The clients take turns, so that other load on the machine affects all of them. */
export async function measureThroughput({ clients, repeats, count, bytes, compiled, work, log }) {
  const source = makeRepository(join(work, 'throughput'), { count, bytes });
  const seconds = Object.fromEntries(clients.map((client) => [client, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const client of clients) {
      const report = await download({ client, compiled, source, work });
      seconds[client].push(report.seconds);
      log(`${client}: ${((count * bytes) / 1e6 / report.seconds).toFixed(0)} MB/s`);
    }
  }
  rmSync(source, { recursive: true, force: true });
  const rates = Object.entries(seconds).map(([client, all]) => [client, (count * bytes) / median(all)]);
  return { files: count, file_bytes: bytes, repeats, seconds, bytes_per_second: Object.fromEntries(rates) };
}

/** @returns the peak memory of each client for a file of each size */
export async function measureMemory({ clients, sizes, compiled, work, log }) {
  const peaks = Object.fromEntries(clients.map((client) => [client, {}]));
  for (const bytes of sizes) {
    const source = makeRepository(join(work, 'memory'), { count: 1, bytes });
    for (const client of clients) {
      const report = await download({ client, compiled, source, work });
      peaks[client][bytes] = report.peak_bytes;
      log(`${client}, ${bytes / 1e6} MB: ${(report.peak_bytes / 1e6).toFixed(0)} MB of memory`);
    }
    rmSync(source, { recursive: true, force: true });
  }
  return peaks;
}
