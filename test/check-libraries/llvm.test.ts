import { describe, expect, it } from 'vitest';
import { readHeaders, readSymbols } from '../../scripts/check-libraries/llvm.mjs';

describe('symbols', () => {
  it('of ELF are read without their version, and without those of other libraries', () => {
    const text = 'TF_Version T 4a9660 0\nTFE_Execute@@VERS_1.0 T 4a96 10\nmemcpy@GLIBC_2.17 U         \n';
    expect([...readSymbols(text, false)]).toEqual(['TF_Version', 'TFE_Execute']);
  });

  it('of Mach-O lose exactly one underscore, which C names have there', () => {
    const text = '_TF_Version T 4a9660 0\n__ZN3tsl1fEv T 1b4fb60 0\n_malloc U 0 0\n';
    expect([...readSymbols(text, true)]).toEqual(['TF_Version', '_ZN3tsl1fEv']);
  });
});

describe('headers', () => {
  it('of ELF are read', () => {
    const text = `
libtensorflow_cc.so.2:\tfile format elf64-littleaarch64

Dynamic Section:
  RUNPATH      $ORIGIN/../../_solib_aarch64:$ORIGIN/
  NEEDED       libtensorflow_framework.so.2
  NEEDED       libc.so.6
`;
    expect(readHeaders(text)).toEqual({
      format: 'elf64-littleaarch64',
      needed: ['libtensorflow_framework.so.2', 'libc.so.6'],
      searched: ['$ORIGIN/../../_solib_aarch64', '$ORIGIN'],
    });
  });

  it('of Mach-O are read', () => {
    const text = `
libtensorflow_cc.2.dylib:\tfile format mach-o arm64
Load command 12
          cmd LC_LOAD_DYLIB
      cmdsize 64
         name @rpath/libtensorflow_framework.2.dylib (offset 24)
   time stamp 2 Thu Jan  1 00:00:02 1970
Load command 20
          cmd LC_RPATH
      cmdsize 32
         path @loader_path/ (offset 12)
`;
    expect(readHeaders(text)).toEqual({
      format: 'mach-o arm64',
      needed: ['@rpath/libtensorflow_framework.2.dylib'],
      searched: ['@loader_path'],
    });
  });
});
