/** @module Shared libraries through koffi. */
import { createRequire } from 'node:module';
import type { Pointer } from './executor.js';

type Koffi = typeof import('koffi');

/** TensorFlow's kernels and XLA's compiler need more stack than koffi's default. */
const STACK_BYTES = 16 * 2 ** 20;

let loaded: Koffi | null = null;

/** koffi, with stacks that are large enough for compilers. It is loaded when it is first used. @throws what loading it throws */
export function koffi(): Koffi {
  if (loaded === null) {
    const module = createRequire(import.meta.url)('koffi') as Koffi;
    // This must come before any library is loaded.
    module.config({ ...module.config(), sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });
    loaded = module;
  }
  return loaded;
}

// <dlfcn.h>
const RTLD_NOW = 0x2;
/** Keeps a library mapped for good: koffi unloads libraries at exit while their threads still run, which would crash Node. */
const RTLD_NODELETE = process.platform === 'darwin' ? 0x80 : 0x1000;
/** Prefers the library's own C++ symbols to those that Node's binary exports. glibc only. */
const RTLD_DEEPBIND = process.platform === 'darwin' ? 0 : 0x8;

/**
 * Loads a library and keeps it.
 * @param options.ownSymbols whether its own symbols come before those of this process
 * @throws Error with the loader's message
 */
export function openLibrary(path: string, { ownSymbols = false }: { readonly ownSymbols?: boolean } = {}): Pointer {
  const libc = koffi().load(null);
  const dlopen = libc.func('void* dlopen(const char* path, int flags)');
  const dlerror = libc.func('const char* dlerror()');
  const library = dlopen(path, RTLD_NOW | RTLD_NODELETE | (ownSymbols ? RTLD_DEEPBIND : 0)) as Pointer | null;
  if (!library) throw new Error(String(dlerror()));
  return library;
}
