import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { gpuTarget, gpuTargetsIn } from '../../../src/engine/pjrt/gpu-targets.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

const description = (name: string, bytes: number) =>
  `gpu_device_info {\n  device_memory_size: ${bytes}\n  memory_bandwidth: ${2 * bytes}\n}\ndevice_description_str: "${name}"\n`;

function plugin(): string {
  const path = join(folder(), 'plugin.so');
  const parts = [description('One GPU', 1000), 'gpu_device_info {\n  without: "a name"\n}', description('Two', 2000)];
  writeFileSync(path, Buffer.concat(parts.flatMap((part) => [Buffer.from([0, 255, 7]), Buffer.from(`${part}\0`)])));
  return path;
}

it('descriptions of GPUs are found among the bytes of a plugin', () => {
  expect(gpuTargetsIn(plugin())).toEqual([
    { name: 'One GPU', memoryBytes: 1000, bytesPerSecond: 2000, text: description('One GPU', 1000) },
    { name: 'Two', memoryBytes: 2000, bytesPerSecond: 4000, text: description('Two', 2000) },
  ]);
});

it('a GPU that is not described is refused, with those that are', () => {
  expect(gpuTarget(plugin(), 'Two').memoryBytes).toBe(2000);
  expect(() => gpuTarget(plugin(), 'Three')).toThrow('The plugin describes no GPU called Three.');
});
