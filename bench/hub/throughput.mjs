// How fast, and with how much memory: files of random bytes over the loopback, each download into a fresh cache.
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

/** A folder with `count` shards and the small files around them. */
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

/** @returns the seconds and the peak memory that the client reports of one download. */
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

/** The clients by turns, so that what else the machine does strikes all of them. */
export async function measureThroughput({ clients, repeats, count, bytes, compiled, work, say }) {
  const source = makeRepository(join(work, 'throughput'), { count, bytes });
  const seconds = Object.fromEntries(clients.map((client) => [client, []]));
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const client of clients) {
      const report = await download({ client, compiled, source, work });
      seconds[client].push(report.seconds);
      say(`${client}: ${((count * bytes) / 1e6 / report.seconds).toFixed(0)} MB/s`);
    }
  }
  rmSync(source, { recursive: true, force: true });
  const rates = Object.entries(seconds).map(([client, all]) => [client, (count * bytes) / median(all)]);
  return { files: count, file_bytes: bytes, repeats, seconds, bytes_per_second: Object.fromEntries(rates) };
}

/** @returns the peak memory of each client for a file of each size. */
export async function measureMemory({ clients, sizes, compiled, work, say }) {
  const peaks = Object.fromEntries(clients.map((client) => [client, {}]));
  for (const bytes of sizes) {
    const source = makeRepository(join(work, 'memory'), { count: 1, bytes });
    for (const client of clients) {
      const report = await download({ client, compiled, source, work });
      peaks[client][bytes] = report.peak_bytes;
      say(`${client}, ${bytes / 1e6} MB: ${(report.peak_bytes / 1e6).toFixed(0)} MB of memory`);
    }
    rmSync(source, { recursive: true, force: true });
  }
  return peaks;
}
