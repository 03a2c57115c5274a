/**
 * @module Whether a GPU runs the project's kernels in Triton rightly. They are compiled by XLA, but no machine that tests byteify has a GPU, so the
 * first start on one compares them with XLA's own operations. A kernel that fails can end its process, hence a process of its own.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
// Not from the folder's index, which loads the manifest's schema.
import { writeFileAtomic } from '../../fs/atomic.js';
import type { PluginDevice } from '../setup/device-names.js';
import { engineHome } from '../setup/folders.js';
import { forwardKernel, keyGradientKernel, queryGradientKernel } from '../triton/attention-kernels.js';
import { kernelText } from '../triton/kernel-text.js';

const PROCESS = fileURLToPath(new URL('./triton-check-process.js', import.meta.url));
/** Opening a GPU takes seconds, and so does compiling the kernels. */
const TIMEOUT_MS = 180_000;

/** What the process sends: that it has opened the device, and whether the kernels are right; null if there was no memory to find out. */
export type CheckMessage = { readonly kind: 'opened' } | { readonly kind: 'checked'; readonly works: boolean | null };

/** Signals that come from outside, such as Ctrl-C. They say nothing about the kernels. */
const FROM_OUTSIDE: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const recordSchema = z.object({ on: z.string(), works: z.boolean() });
const recordPath = () => join(engineHome(), 'triton-check.json');

const DRIVER = '/proc/driver/nvidia';

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The GPUs and their driver, as the driver tells them. */
function gpus(): string {
  try {
    const folders = readdirSync(join(DRIVER, 'gpus')).sort();
    const models = folders.map((name) => /Model:\s*(.*)/.exec(textOf(join(DRIVER, 'gpus', name, 'information')))?.[1]);
    return [textOf(join(DRIVER, 'version')), ...models].join('\n');
  } catch {
    return '';
  }
}

/** A digest of the kernels: others are another matter. */
function kernelsDigest(): string {
  const shape = { rows: 1, heads: 2, kvHeads: 1, length: 256, headDim: 64, window: 128, packed: true };
  const hash = createHash('sha256');
  for (const type of ['bf16', 'f32'] as const)
    for (const kernel of [forwardKernel, queryGradientKernel, keyGradientKernel])
      hash.update(kernelText(kernel({ ...shape, type })));
  return hash.digest('hex');
}

/** What the result holds for. */
function subject(device: PluginDevice, plugin: string): string {
  const { size, mtimeMs } = statSync(plugin);
  const choice = process.env.CUDA_VISIBLE_DEVICES ?? '';
  return JSON.stringify({ device, plugin, size, mtimeMs, choice, gpus: gpus(), kernels: kernelsDigest() });
}

/** @returns null if the process could not tell, for example because another one uses the GPU's memory */
function check(device: PluginDevice, plugin: string): Promise<boolean | null> {
  return new Promise((resolve) => {
    let opened = false;
    let works: boolean | null | undefined;
    const child = fork(PROCESS, [device, plugin], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      ...{ timeout: TIMEOUT_MS, killSignal: 'SIGKILL' },
    });
    child.on('message', (message: CheckMessage) => {
      if (message.kind === 'opened') opened = true;
      else works = message.works;
    });
    child.once('error', () => resolve(null));
    child.once('exit', (_code, signal) => {
      // A process that has opened the device and ends, or hangs, without an answer does so because of a kernel.
      if (works !== undefined) resolve(works);
      else resolve(opened && !FROM_OUTSIDE.includes(signal) ? false : null);
    });
  });
}

/** The recorded result for a device and plugin; null if there is none. */
export function tritonCheckOf(device: PluginDevice, plugin: string): boolean | null {
  try {
    const { on, works } = recordSchema.parse(JSON.parse(readFileSync(recordPath(), 'utf8')));
    return on === subject(device, plugin) ? works : null;
  } catch {
    return null;
  }
}

/** Whether the kernels work on a device. The result is kept in the engine's cache folder, `triton-check.json`. */
export async function tritonWorks(device: PluginDevice, plugin: string, run = check): Promise<boolean> {
  const known = tritonCheckOf(device, plugin);
  if (known !== null) return known;
  const works = await run(device, plugin);
  if (works === null) return false;
  mkdirSync(engineHome(), { recursive: true });
  await writeFileAtomic(recordPath(), `${JSON.stringify({ on: subject(device, plugin), works })}\n`);
  return works;
}
