/** Vitest's global set-up for tests on OpenXLA: downloads the plugin for the CPU unless it is there, and makes it the device. */
import { setUpPlugin } from '../../src/engine/setup/set-up-plugin.js';

export default async function setUp(): Promise<() => void> {
  await setUpPlugin('cpu-xla', {
    ifMissing: true,
    // The tests try it.
    tryOut: async () => ({ tensorflow: '', devices: [], gflops: 1 }),
  });
  process.env.BYTEIFY_DEVICE = 'cpu-xla';
  return () => {
    delete process.env.BYTEIFY_DEVICE;
  };
}
