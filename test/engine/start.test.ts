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

it('tfjs-node-gpu that is not installed is asked for', async () => {
  await expect(start()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('needs the package') });
});

it.each<[string, () => void]>([
  ['registers nothing', () => undefined],
  [
    'registers a backend that does not start',
    () => tf.registerBackend('tensorflow', async () => Promise.reject('no GPU')),
  ],
])('tfjs-node-gpu that %s is refused in a sentence', async (_what, register) => {
  vi.spyOn(console, 'warn').mockReturnValue(); // tfjs-core's own
  vi.doMock(PACKAGE, () => {
    register();
    return {};
  });
  await expect(start()).rejects.toThrow(`${PACKAGE} is installed but registered no backend`);
});
