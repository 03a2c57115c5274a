/** @module Memory outside JavaScript's heap, which C code may keep pointers to. */
import { koffi } from '../c-library.js';
import type { Pointer } from '../executor.js';

interface Allocator {
  calloc(count: number, size: number): Pointer;
  free(at: Pointer): void;
}

let allocator: Allocator | null = null;

function libc(): Allocator {
  if (allocator === null) {
    const library = koffi().load(null);
    const calloc = library.func('void* calloc(size_t count, size_t size)');
    const free = library.func('void free(void* at)');
    allocator = { calloc: (count, size) => BigInt(calloc(count, size) as Pointer), free: (at) => void free(at) };
  }
  return allocator;
}

/** Memory as a Buffer. It must stay allocated while the Buffer is used. */
export const viewOf = (at: Pointer, byteCount: number): Buffer => Buffer.from(koffi().view(at, byteCount));

/** A string of the given length. */
export const textAt = (at: Pointer, byteCount: bigint | number): string =>
  Number(byteCount) > 0 ? viewOf(at, Number(byteCount)).toString('utf8') : '';

/** The addresses in an array of pointers. */
export const pointersAt = (at: Pointer, count: number): Pointer[] =>
  count === 0 ? [] : Array.from({ length: count }, (_, i) => viewOf(at, 8 * count).readBigUInt64LE(8 * i));

/** Allocations that are freed together. */
export interface Arena {
  /** Zeroed memory. */
  allocate(byteCount: number): { readonly at: Pointer; readonly bytes: Buffer };
  /** A copy of some bytes, or of a text in UTF-8. */
  copy(data: Uint8Array | string): { readonly at: Pointer; readonly size: number };
  int64s(values: readonly number[]): Pointer;
  pointers(values: readonly Pointer[]): Pointer;
  free(): void;
}

export function createArena(): Arena {
  const owned: Pointer[] = [];

  function allocate(byteCount: number) {
    const size = Math.max(8, byteCount);
    const at = libc().calloc(1, size);
    if (at === 0n) throw new Error(`${byteCount} bytes of memory could not be allocated`);
    owned.push(at);
    return { at, bytes: viewOf(at, size) };
  }

  return {
    allocate,
    copy(data) {
      const source = typeof data === 'string' ? Buffer.from(data) : data;
      const { at, bytes } = allocate(source.byteLength);
      bytes.set(source);
      return { at, size: source.byteLength };
    },
    int64s(values) {
      const { at, bytes } = allocate(8 * values.length);
      values.forEach((value, i) => {
        bytes.writeBigInt64LE(BigInt(value), 8 * i);
      });
      return at;
    },
    pointers(values) {
      const { at, bytes } = allocate(8 * values.length);
      values.forEach((value, i) => {
        bytes.writeBigUInt64LE(value, 8 * i);
      });
      return at;
    },
    free() {
      for (const at of owned.splice(0)) libc().free(at);
    },
  };
}

/** Runs `work` with an arena that is freed when it returns or throws. */
export function withArena<T>(work: (arena: Arena) => T): T {
  const arena = createArena();
  try {
    return work(arena);
  } finally {
    arena.free();
  }
}
