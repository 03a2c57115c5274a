// How fast `byteify prepare` reads, with one worker and with two, beside a plain read of the same files. The three take turns.
import { spawn } from 'node:child_process';
import { copyFileSync, createReadStream, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../process.mjs';
import { CLI } from './group.mjs';

/** The text is copied until there are about as many bytes. Each copy is a file of its own, so that parts can share the work. */
const BYTES = 5e8;

/** @param {string[]} args @returns {Promise<void>} */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, 'prepare', ...args, '--json'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(said))));
  });
}

async function plainRead(files) {
  for (const file of files) for await (const _chunk of createReadStream(file, { highWaterMark: 2 ** 20 }));
}

async function prepared(files, out, workers) {
  rmSync(out, { recursive: true, force: true });
  if (workers === 1) return await run([...files, '--out', out]);
  const parts = Array.from({ length: workers }, (_, part) => ['--shard', `${part}/${workers}`]);
  await Promise.all(parts.map((part) => run([...files, '--out', out, ...part])));
  await run(['--merge', '--out', out]);
}

/**
 * @param {{ data: string, work: string }} bench
 * @param {{ rounds: number }} options
 */
export async function prepare({ data, work }, { rounds }) {
  const folder = join(work, 'prepare-input');
  mkdirSync(folder, { recursive: true });
  const count = Math.max(2, Math.round(BYTES / statSync(data).size));
  const ending = /\.\w+$/.exec(data)?.[0] ?? '';
  const files = Array.from({ length: count }, (_, i) => join(folder, `${i}${ending}`));
  for (const file of files) copyFileSync(data, file);
  const bytes = count * statSync(data).size;
  const out = join(work, 'prepare-output');
  const ways = {
    'plain read': () => plainRead(files),
    'prepare, 1 worker': () => prepared(files, out, 1),
    'prepare, 2 workers and the merge': () => prepared(files, out, 2),
  };
  const seconds = Object.fromEntries(Object.keys(ways).map((way) => [way, []]));
  for (let round = 0; round < rounds; round++)
    for (const [way, take] of Object.entries(ways)) {
      const at = performance.now();
      await take();
      seconds[way].push((performance.now() - at) / 1000);
    }
  rmSync(folder, { recursive: true });
  rmSync(out, { recursive: true, force: true });
  return Object.entries(seconds).map(([way, all]) => ({
    way,
    bytes,
    seconds: median(all),
    bytes_per_second: bytes / median(all),
  }));
}
