import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { fasterOneDnn, ONEDNN_VARIABLE, useOneDnn } from '../../../src/engine/setup/onednn.js';

beforeEach(() => {
  vi.stubEnv(ONEDNN_VARIABLE, undefined);
});
afterEach(() => vi.unstubAllEnvs());

/** Measured times, of which the best counts: `without` and `withIt` in turns. */
const timer = (without: readonly number[], withIt: readonly number[]) => {
  const [off, on] = [[...without], [...withIt]];
  return async (_folder: string, oneDnn: boolean) => (oneDnn ? on : off).shift()!;
};

it.runIf(process.arch === 'x64').each([
  ['oneDNN is faster', [100, 110], [80, 300], true],
  ['oneDNN is slower', [100, 400], [130, 120], false],
  ['there is no clear difference', [100, 102], [99, 250], null],
])('%s', async (_, without, withIt, wanted) => {
  expect(await fasterOneDnn('folder', timer(without, withIt))).toBe(wanted);
});

it('TensorFlow’s own choice stays when the measurement fails', async () => {
  const broken = async () => {
    throw new Error('no libraries');
  };
  expect(await fasterOneDnn('folder', broken)).toBeNull();
});

it('nothing is measured where the user has chosen, and the choice stays', async () => {
  vi.stubEnv(ONEDNN_VARIABLE, '0');
  const time = vi.fn();
  expect(await fasterOneDnn('folder', time)).toBeNull();
  expect(time).not.toHaveBeenCalled();
  useOneDnn(true);
  expect(process.env[ONEDNN_VARIABLE]).toBe('0');
});

it('what was measured is set for TensorFlow to read', () => {
  useOneDnn(null);
  expect(process.env[ONEDNN_VARIABLE]).toBeUndefined();
  useOneDnn(false);
  expect(process.env[ONEDNN_VARIABLE]).toBe('0');
});
