/** @module A PJRT plugin: a shared library whose only symbol returns the table of PJRT's functions. */
import { existsSync } from 'node:fs';
import { ByteifyError, messageOf } from '../../errors.js';
import { koffi, openLibrary } from '../c-library.js';
import type { Pointer } from '../executor.js';
import { API, type Field, FUNCTIONS, type FunctionName, HEADER_VERSION, type Layout, OLDEST_MINOR } from './layouts.js';
import { type NamedValue, readNamedValues } from './named-values.js';
import { type Arena, createArena, textAt, viewOf, withArena } from './native-memory.js';
import { PjrtError } from './pjrt-error.js';

/** Values of 8 bytes may be given as numbers. */
export type Values = Readonly<Record<string, Pointer | number>>;
export type Results = Readonly<Record<string, bigint>>;

/** Writes a struct. Its first word is its size. */
export function writeStruct(arena: Arena, { size, fields }: Layout, values: Values): { at: Pointer; bytes: Buffer } {
  const { at, bytes } = arena.allocate(size);
  bytes.writeBigUInt64LE(BigInt(size), 0);
  for (const [name, value] of Object.entries(values)) writeField(bytes, fields[name]!, BigInt(value));
  return { at, bytes };
}

function writeField(bytes: Buffer, { offset, width }: Field, value: bigint): void {
  if (width === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, value), offset);
  else bytes.writeUIntLE(Number(value), offset, width);
}

function readField(bytes: Buffer, { offset, width }: Field): bigint {
  return width === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUIntLE(offset, width));
}

export const readStruct = (bytes: Buffer, { fields }: Layout): Results =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, readField(bytes, field)]));

interface NativeFunction {
  (args: Pointer): Pointer | null;
  async(args: Pointer, done: (error: Error | null, result: Pointer | null) => void): void;
}

export interface Plugin {
  readonly path: string;
  readonly version: { readonly major: number; readonly minor: number };
  readonly attributes: Readonly<Record<string, NamedValue>>;
  /** Calls a function. @returns the struct's fields after the call. @throws PjrtError */
  call(name: FunctionName, values?: Values): Results;
  /** The same on another thread. What the values point to must stay allocated. */
  callAsync(name: FunctionName, values?: Values): Promise<Results>;
  /** Calls a deleter that the plugin returned, on what it deletes. */
  release(deleter: Pointer, what: Pointer): void;
}

let types: { readonly GetApi: unknown; readonly Function: unknown; readonly Deleter: unknown } | null = null;

/** One prototype serves all functions. koffi allows each name once per process. */
function prototypes() {
  types ??= {
    GetApi: koffi().proto('void* PjrtGetApi()'),
    Function: koffi().proto('void* PjrtFunction(void* args)'),
    Deleter: koffi().proto('void PjrtDeleter(void* what)'),
  };
  return types as { readonly GetApi: never; readonly Function: never; readonly Deleter: never };
}

const isLoadable = (path: string) => existsSync(path) || !path.includes('/');

/**
 * Loads a plugin. This succeeds without a device: only a client needs one.
 * @throws ByteifyError when the file is no plugin, cannot be loaded, or has an incompatible version
 */
export function loadPlugin(path: string): Plugin {
  if (!isLoadable(path)) throw new ByteifyError(`There is no file ${path}.`, { hint: PLUGIN_HINT });
  const table = tableOf(path);
  const [major, minor] = [table.readInt32LE(API.majorAt), table.readInt32LE(API.minorAt)];
  if (major !== HEADER_VERSION.major || minor < OLDEST_MINOR) {
    throw new ByteifyError(
      `${path} implements version ${major}.${minor} of PJRT’s C API, but byteify needs ${HEADER_VERSION.major}.${OLDEST_MINOR} or newer of the same major version.`,
      { hint: 'Use the plugin that `byteify setup --gpu` downloads, or one of the same year.' },
    );
  }
  const functions = new Map(
    Object.entries(FUNCTIONS).map(([name, { slot }]) => {
      const at = table.readBigUInt64LE(API.functionsAt + 8 * slot);
      return [name, koffi().decode(at, prototypes().Function) as NativeFunction];
    }),
  );
  return createPlugin(path, { major, minor }, (name) => functions.get(name)!);
}

const PLUGIN_HINT = 'Run `byteify setup --gpu`, or pass the path of a PJRT plugin, such as xla_cuda_plugin.so of JAX.';

/** The table of functions, with its head. */
function tableOf(path: string): Buffer {
  try {
    const library = openLibrary(path, { ownSymbols: true });
    const dlsym = koffi().load(null).func('void* dlsym(void* library, const char* name)');
    const symbol = dlsym(library, 'GetPjrtApi') as Pointer | null;
    if (!symbol) throw new Error('it exports no GetPjrtApi, so it is no PJRT plugin');
    const api = BigInt(koffi().call(symbol, prototypes().GetApi) as Pointer);
    return viewOf(api, Number(viewOf(api, 8).readBigUInt64LE(API.sizeAt)));
  } catch (cause) {
    throw new ByteifyError(`${path} cannot be loaded: ${messageOf(cause)}`, { hint: PLUGIN_HINT, cause });
  }
}

function createPlugin(
  path: string,
  version: Plugin['version'],
  functionOf: (name: FunctionName) => NativeFunction,
): Plugin {
  function invoke(name: FunctionName, values: Values, onReturn: (error: Pointer | null) => void): Results {
    return withArena((arena) => {
      const { at, bytes } = writeStruct(arena, FUNCTIONS[name], values);
      onReturn(functionOf(name)(at));
      return readStruct(bytes, FUNCTIONS[name]);
    });
  }

  /** @throws PjrtError for an error, which is destroyed */
  function check(error: Pointer | null): void {
    if (!error) return;
    // These functions return nothing.
    const ask = (name: FunctionName) => invoke(name, { error }, () => undefined);
    const { message, message_size: size } = ask('Error_Message');
    const text = textAt(message!, size!);
    const { code } = ask('Error_GetCode');
    ask('Error_Destroy');
    throw new PjrtError(text.trim(), Number(code));
  }

  const call = (name: FunctionName, values: Values = {}): Results => invoke(name, values, check);

  async function callAsync(name: FunctionName, values: Values = {}): Promise<Results> {
    const arena = createArena();
    try {
      const { at, bytes } = writeStruct(arena, FUNCTIONS[name], values);
      const error = await new Promise<Pointer | null>((resolve, reject) => {
        functionOf(name).async(at, (failure, result) => (failure ? reject(failure) : resolve(result)));
      });
      check(error);
      return readStruct(bytes, FUNCTIONS[name]);
    } finally {
      arena.free();
    }
  }

  call('Plugin_Initialize');
  const { attributes, num_attributes: count } = call('Plugin_Attributes');
  return {
    ...{ path, version, call, callAsync },
    attributes: readNamedValues(attributes!, Number(count)),
    release: (deleter, what) => void koffi().call(deleter, prototypes().Deleter, what),
  };
}
