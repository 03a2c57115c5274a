// Parses the output of LLVM's tools, which read ELF and Mach-O libraries on any machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The symbol table of TensorFlow's larger library takes 100 MB as text. */
const MAX_OUTPUT = { maxBuffer: 2 ** 30 };

/**
 * The defined symbols that other programs can link to, under their C names.
 * @param {string} text the output of `nm --format=posix` @param {boolean} machO in Mach-O, C names begin with an underscore
 */
export function readSymbols(text, machO) {
  const names = new Set();
  for (const [, name] of text.matchAll(/^(\S+) [TWVDBRSi] /gm)) {
    // ELF symbols may have a version: name@@VERSION.
    const [bare] = name.split('@', 1);
    names.add(machO ? bare.replace(/^_/, '') : bare);
  }
  return names;
}

/**
 * The processor of a library, the libraries that it loads, and the folders that it searches for them.
 * @param {string} text the output of `llvm-objdump --private-headers`
 */
export function readHeaders(text) {
  const all = (pattern) => [...text.matchAll(pattern)].map(([, found]) => found);
  return {
    format: /file format (.+)$/m.exec(text)?.[1]?.trim() ?? 'unknown',
    needed: [...all(/^\s*NEEDED\s+(\S+)/gm), ...all(/cmd LC_LOAD_DYLIB\n\s*cmdsize \d+\n\s*name (\S+)/g)],
    searched: [
      ...all(/^\s*RUNPATH\s+(\S+)/gm).flatMap((paths) => paths.split(':')),
      ...all(/cmd LC_RPATH\n\s*cmdsize \d+\n\s*path (\S+)/g),
    ].map((path) => path.replace(/\/$/, '')),
  };
}

/** @param {string} file a shared library */
export async function inspectLibrary(file) {
  const machO = file.endsWith('.dylib');
  const flags = ['--extern-only', '--defined-only', '--format=posix', ...(machO ? [] : ['--dynamic'])];
  const [{ stdout: symbols }, { stdout: headers }] = await Promise.all([
    run('llvm-nm', [...flags, file], MAX_OUTPUT),
    run('llvm-objdump', ['--private-headers', file], MAX_OUTPUT),
  ]);
  return { symbols: readSymbols(symbols, machO), ...readHeaders(headers) };
}
