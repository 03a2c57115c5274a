/**
 * @module Descriptions of GPUs that are absent, for the compiler. XLA's CUDA plugin contains them as texts (GpuTargetConfigProto), from which they
 * are read: they then fit its version.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ByteifyError } from '../../errors.js';

/** A kind of GPU, as the plugin describes it. */
export interface GpuTarget {
  /** For example `NVIDIA H100 80GB HBM3`. */
  readonly name: string;
  readonly memoryBytes: number;
  /** How fast the memory is read and written. */
  readonly bytesPerSecond: number;
  /** GpuTargetConfigProto. */
  readonly text: string;
}

const BEGIN = Buffer.from('gpu_device_info {\n');
const CHUNK_BYTES = 64 * 2 ** 20;
/** A description has about 5 KB. */
const MAX_TEXT_BYTES = 64 * 1024;

function targetOf(text: string): GpuTarget | null {
  const name = /device_description_str: "([^"]+)"/.exec(text)?.[1];
  const memory = /device_memory_size: (\d+)/.exec(text)?.[1];
  const bandwidth = /memory_bandwidth: (\d+)/.exec(text)?.[1];
  if (name === undefined || memory === undefined || bandwidth === undefined) return null;
  return { name, memoryBytes: Number(memory), bytesPerSecond: Number(bandwidth), text };
}

/** The descriptions in a plugin's file. */
export function gpuTargetsIn(plugin: string): GpuTarget[] {
  const file = openSync(plugin, 'r');
  try {
    const { size } = fstatSync(file);
    const found: GpuTarget[] = [];
    const chunk = Buffer.alloc(CHUNK_BYTES + MAX_TEXT_BYTES);
    for (let at = 0; at < size; at += CHUNK_BYTES) {
      const bytes = chunk.subarray(0, readSync(file, chunk, 0, chunk.length, at));
      for (
        let begin = bytes.indexOf(BEGIN);
        begin >= 0 && begin < CHUNK_BYTES;
        begin = bytes.indexOf(BEGIN, begin + 1)
      ) {
        const target = targetOf(bytes.toString('utf8', begin, bytes.indexOf(0, begin)));
        if (target !== null) found.push(target);
      }
    }
    return found;
  } finally {
    closeSync(file);
  }
}

/** The description with a name. @throws ByteifyError when there is none */
export function gpuTarget(plugin: string, wanted: string): GpuTarget {
  const all = gpuTargetsIn(plugin);
  const found = all.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new ByteifyError(`The plugin describes no GPU called ${wanted}.`, {
    hint: `It describes: ${[...new Set(all.map(({ name }) => name))].join(', ')}.`,
  });
}
