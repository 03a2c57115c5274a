import { describe, expect, it } from 'vitest';
import { LIBRARY_FILES, libraryFilesOn, pinnedWheel, TENSORFLOW_VERSION } from '../../../src/engine/setup/libraries.js';
import { PINNED_MACHINES, requirePinned, supportOf, thisMachine } from '../../../src/engine/setup/machine.js';
import { C_FUNCTIONS } from '../../../src/engine/tensorflow/native.js';

describe('the machines', () => {
  it('include this one, which runs the tests', () => {
    const { platform, arch } = process;
    expect(thisMachine()).toEqual({ platform, arch, libc: platform === 'linux' ? 'glibc' : null });
    expect(PINNED_MACHINES).toContain(requirePinned(supportOf(thisMachine())));
  });

  it.each(['x64', 'arm64', 'riscv64'])('with musl have no libraries, whatever the processor: %s', (arch) => {
    const { name, pinned, ownLibraries } = supportOf({ platform: 'linux', arch, libc: 'musl' });
    expect([name, pinned, ownLibraries]).toEqual(['Linux with musl', null, false]);
  });

  it('that are unknown have Node’s names for them', () => {
    const support = supportOf({ platform: 'freebsd', arch: 'x64', libc: null });
    expect(support.advice?.reason).toBe('There are no pinned libraries for freebsd on x64.');
    expect(() => requirePinned(support)).toThrow('freebsd on x64');
  });
});

describe('the pinned libraries', () => {
  it.each(PINNED_MACHINES)(
    'of %s are in one wheel of the pinned version, under the names that the machine loads',
    (machine) => {
      const platform = machine.split('-')[0] as NodeJS.Platform;
      const wheel = pinnedWheel(machine);
      expect(wheel).toMatchObject({
        version: TENSORFLOW_VERSION,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        members: libraryFilesOn(platform).map((file) => `tensorflow/${file}`),
      });
    },
  );

  it('differ for each machine', () => {
    expect(new Set(PINNED_MACHINES.map((machine) => pinnedWheel(machine).sha256)).size).toBe(3);
  });

  it('for this machine have this system’s file names, and functions to look up', () => {
    expect(LIBRARY_FILES).toEqual(libraryFilesOn(process.platform));
    expect(C_FUNCTIONS).toContain('TFE_Execute');
  });
});
