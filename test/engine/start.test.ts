import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it, vi } from 'vitest';
import { startEngine } from '../../src/engine/index.js';

const PACKAGE = '@tensorflow/tfjs-node-gpu';
afterEach(() => {
  vi.doUnmock(PACKAGE);
  vi.restoreAllMocks();
  if (tf.findBackendFactory('tensorflow')) tf.removeBackend('tensorflow');
});

const start = () => startEngine({ backend: 'tfjs-node-gpu' });

it('a missing tfjs-node-gpu is named', async () => {
  await expect(start()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('needs the package') });
});

it.each<[string, () => void]>([
  ['registers nothing', () => undefined],
  [
    'registers a backend that does not start',
    () => tf.registerBackend('tensorflow', async () => Promise.reject('no GPU')),
  ],
])('a tfjs-node-gpu that %s is refused in one sentence', async (_what, register) => {
  vi.spyOn(console, 'warn').mockReturnValue(); // tfjs-core's own
  vi.doMock(PACKAGE, () => {
    register();
    return {};
  });
  await expect(start()).rejects.toThrow(`${PACKAGE} is installed but registered no backend`);
});

it('a tfjs-node-gpu without its addon is refused with the package’s own reason', async () => {
  vi.doMock(PACKAGE, () => {
    throw new Error('The Node.js native addon module (tfjs_binding.node) can not be found at path: here\nPlease run');
  });
  await expect(start()).rejects.toMatchObject({
    message: expect.stringContaining('cannot be loaded'),
    hint: expect.stringContaining('docs/gpu.md'),
  });
});

it('a tfjs-node-gpu that cannot compute on this Node is refused at once', async () => {
  vi.doMock(PACKAGE, () => {
    tf.registerBackend('tensorflow', () => Object.assign(new tf.KernelBackend(), { dispose: () => undefined }));
    return {};
  });
  await expect(start()).rejects.toMatchObject({
    message: expect.stringContaining(`does not compute on Node ${process.versions.node}`),
    hint: expect.stringContaining('Node 22'),
  });
});
