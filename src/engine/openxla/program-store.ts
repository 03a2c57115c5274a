/**
 * @module Machine code on the disk: a program that an earlier process compiled is loaded instead. What a program compiles to depends on its text, the
 * compiler's options, the plugin and the device, so these name the file.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '../../fs/atomic.js';
import type { Client } from '../pjrt/client.js';
import type { XlaOption } from '../pjrt/compile-options.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { cacheHome } from '../setup/folders.js';

/** Of all programs together. Those that were used longest ago go first. */
const MAX_BYTES = 4e9;

/** Vectors of 512 bits where a CPU has them, which LLVM would not use by itself: a SmolLM2-sized step is 8 % faster. */
const CPU_OPTIONS: Readonly<Record<string, XlaOption>> = { xla_cpu_prefer_vector_width: 512n };

const optionsFor = ({ platform }: Client): Readonly<Record<string, XlaOption>> =>
  platform === 'cpu' ? CPU_OPTIONS : {};

const storeFolder = () => join(cacheHome(), 'programs');

function nameOf(client: Client, text: string): string {
  // Code for a CPU uses the instructions that this one has, whatever the plugin calls it.
  const device = client.platform === 'cpu' ? cpus()[0]?.model : client.devices[0]?.type;
  const options = Object.entries(optionsFor(client)).map(([name, value]) => `${name}=${value}`);
  const parts = [client.plugin.path, client.platformVersion, device, options, text];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Removes what was used longest ago until the rest fits. */
function prune(folder: string): void {
  const files = readdirSync(folder).map((name) => ({ path: join(folder, name), ...statSync(join(folder, name)) }));
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= MAX_BYTES) return;
    rmSync(path, { force: true });
    total -= size;
  }
}

/** The stored program; null if there is none, or it cannot be loaded here. */
function load(client: Client, path: string): LoadedProgram | null {
  try {
    const program = client.deserialize(readFileSync(path));
    const now = new Date();
    utimesSync(path, now, now);
    return program;
  } catch {
    return null;
  }
}

/** Writes a program. A cache that cannot be written to, or a plugin that cannot do this, costs only time. */
async function store(program: LoadedProgram, folder: string, path: string): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true });
    await writeFileAtomic(path, program.serialize());
    prune(folder);
  } catch {
    // The next process compiles it again.
  }
}

/** Loads a program from the disk, or compiles it on another thread and stores it. */
export async function storedProgram(client: Client, text: string, partitions = 1): Promise<LoadedProgram> {
  const folder = storeFolder();
  const path = join(folder, nameOf(client, text));
  const known = load(client, path);
  if (known !== null) return known;
  const program = await client.compileAsync(text, { partitions, xla: optionsFor(client) });
  await store(program, folder, path);
  return program;
}
