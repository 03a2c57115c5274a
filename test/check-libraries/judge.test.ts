import { describe, expect, it } from 'vitest';
import { judge } from '../../scripts/check-libraries/judge.mjs';

const FILES = ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2'] as const;
const framework = { symbols: new Set(['TF_Version']), format: 'elf64-littleaarch64', needed: [], searched: [] };
const cc = {
  symbols: new Set(['TFE_Execute']),
  format: 'elf64-littleaarch64',
  needed: ['libtensorflow_framework.so.2', 'libc.so.6'],
  searched: ['$ORIGIN/runfiles', '$ORIGIN'],
};
const functions = ['TF_Version', 'TFE_Execute'];

describe('the libraries of a machine', () => {
  it('pass if together they export every function and they find each other', () => {
    expect(judge('linux-arm64', FILES, [framework, cc], functions)).toEqual([]);
    const mac = ['libtensorflow_framework.2.dylib', 'libtensorflow_cc.2.dylib'] as const;
    const loading = { needed: [`@rpath/${mac[0]}`], searched: ['@loader_path'], format: 'mach-o arm64' };
    const libraries = [
      { ...framework, format: 'mach-o arm64' },
      { ...cc, ...loading },
    ];
    expect(judge('darwin-arm64', mac, libraries, functions)).toEqual([]);
  });

  it.each([
    ['a function that neither exports', [framework, cc], 'linux-arm64', 'neither library exports TF_NewGraph'],
    ['another processor', [framework, cc], 'linux-x64', 'is elf64-littleaarch64, not elf64-x86-64'],
    ['a library that does not load the other', [framework, { ...cc, needed: [] }], 'linux-arm64', 'does not load'],
    ['one that does not search its own folder', [framework, { ...cc, searched: [] }], 'linux-arm64', 'its own folder'],
  ] as const)('fail with %s', (_what, libraries, machine, wrong) => {
    const wanted = wrong.includes('TF_NewGraph') ? [...functions, 'TF_NewGraph'] : functions;
    expect(judge(machine, FILES, libraries, wanted).join('; ')).toContain(wrong);
  });
});
