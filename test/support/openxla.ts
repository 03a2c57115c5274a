/** Vitest's global set-up for tests on OpenXLA: downloads the plugin for the CPU unless it is there. The project's `env` makes it the device. */
import { setUpPlugin } from '../../src/engine/setup/set-up-plugin.js';

export default async function setUp(): Promise<void> {
  await setUpPlugin('cpu-xla', {
    ifMissing: true,
    // The tests try it.
    tryOut: async () => ({ tensorflow: '', devices: [], gflops: 1, onednn: null }),
  });
}
