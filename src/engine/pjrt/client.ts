/** @module A client of a plugin: its devices, buffers in their memory, and programs that are compiled for them. */
import type { Device, DeviceMemory, Pointer } from '../executor.js';
import type { CompileOptions } from './compile-options.js';
import { IMMUTABLE_UNTIL_TRANSFER_COMPLETES } from './layouts.js';
import { type NamedValue, writeNamedValues } from './named-values.js';
import { createArena, pointersAt, textAt, withArena } from './native-memory.js';
import type { Plugin } from './plugin.js';
import { compileArguments, createLoadedProgram, type LoadedProgram } from './program.js';

/** Memory of the host that a buffer is filled from. */
export interface HostMemory {
  readonly at: Pointer;
  /** Called when the device no longer needs the memory. */
  free(): void;
}

export interface Client {
  readonly plugin: Plugin;
  readonly platform: string;
  readonly platformVersion: string;
  readonly devices: readonly (Device & { readonly handle: Pointer })[];
  /** Buffers and programs that are alive, for leak tests. */
  live(): number;
  /** Copies values to a device. `type` is a PJRT_Buffer_Type. */
  upload(bytes: Uint8Array, shape: readonly number[], type: number, device?: number): Pointer;
  /** The same from native memory, which is freed afterwards. */
  uploadFrom(memory: HostMemory, shape: readonly number[], type: number, device?: number): Pointer;
  /** Copies a buffer to native memory, row-major, and waits for the programs that compute it. */
  download(buffer: Pointer, to: Pointer, byteCount: number): void;
  release(buffer: Pointer): void;
  /** Marks the results of a program as buffers of this client. */
  adopt(buffers: readonly Pointer[]): void;
  compile(text: string, options?: CompileOptions): LoadedProgram;
  compileAsync(text: string, options?: CompileOptions): Promise<LoadedProgram>;
  /** Loads what `serialize` of a program returned. @throws PjrtError when it is for another plugin or device */
  deserialize(bytes: Uint8Array): LoadedProgram;
  /** Waits for an event, and destroys it. */
  wait(event: Pointer): void;
  /** The same on another thread. */
  waitAsync(event: Pointer): Promise<void>;
  memory(device?: number): DeviceMemory | null;
  close(): void;
}

/** @throws PjrtError when there is no device, or its driver does not work */
export function createClient(plugin: Plugin, options: Readonly<Record<string, NamedValue>> = {}): Client {
  const client = withArena((arena) => {
    const { at, count } = writeNamedValues(arena, options);
    return plugin.call('Client_Create', { create_options: at, num_options: count }).client!;
  });
  const devices = devicesOf(plugin, client);
  const handleOf = (device: number) => devices[device]!.handle;
  let live = 0;

  const created = (buffer: Pointer): Pointer => {
    live++;
    return buffer;
  };

  function wait(event: Pointer): void {
    try {
      plugin.call('Event_Await', { event });
    } finally {
      plugin.call('Event_Destroy', { event });
    }
  }

  async function waitAsync(event: Pointer): Promise<void> {
    try {
      await plugin.callAsync('Event_Await', { event });
    } finally {
      plugin.call('Event_Destroy', { event });
    }
  }

  function fromHost(at: Pointer, shape: readonly number[], type: number, device: number) {
    return withArena((arena) =>
      plugin.call('Client_BufferFromHostBuffer', {
        client,
        data: at,
        type,
        dims: arena.int64s(shape),
        num_dims: shape.length,
        host_buffer_semantics: IMMUTABLE_UNTIL_TRANSFER_COMPLETES,
        device: handleOf(device),
      }),
    );
  }

  function uploadFrom({ at, free }: HostMemory, shape: readonly number[], type: number, device = 0): Pointer {
    const { buffer, done_with_host_buffer: done } = fromHost(at, shape, type, device);
    waitAsync(done!).then(free, free);
    return created(buffer!);
  }

  const loadedProgram = (loaded: Pointer): LoadedProgram => {
    const program = createLoadedProgram(plugin, loaded);
    live++;
    return {
      ...program,
      destroy() {
        program.destroy();
        live--;
      },
    };
  };

  return {
    plugin,
    devices,
    platform: nameOf(plugin, client, 'Client_PlatformName', 'platform_name'),
    platformVersion: nameOf(plugin, client, 'Client_PlatformVersion', 'platform_version'),
    live: () => live,
    upload(bytes, shape, type, device = 0) {
      const arena = createArena();
      const { buffer, done_with_host_buffer: done } = fromHost(arena.copy(bytes).at, shape, type, device);
      // Small copies are over at once; waiting for them costs less than keeping track of them.
      wait(done!);
      arena.free();
      return created(buffer!);
    },
    uploadFrom,
    download(buffer, to, byteCount) {
      wait(plugin.call('Buffer_ToHostBuffer', { src: buffer, dst: to, dst_size: byteCount }).event!);
    },
    release(buffer) {
      plugin.call('Buffer_Destroy', { buffer });
      live--;
    },
    adopt(buffers) {
      live += buffers.length;
    },
    compile: (text, compileOptions = {}) =>
      withArena((arena) => {
        const values = { client, ...compileArguments(arena, text, compileOptions) };
        return loadedProgram(plugin.call('Client_Compile', values).executable!);
      }),
    async compileAsync(text, compileOptions = {}) {
      const arena = createArena();
      try {
        const values = { client, ...compileArguments(arena, text, compileOptions) };
        return loadedProgram((await plugin.callAsync('Client_Compile', values)).executable!);
      } finally {
        arena.free();
      }
    },
    deserialize: (bytes) =>
      withArena((arena) => {
        const { at, size } = arena.copy(bytes);
        const values = { client, serialized_executable: at, serialized_executable_size: size };
        return loadedProgram(plugin.call('Executable_DeserializeAndLoad', values).loaded_executable!);
      }),
    wait,
    waitAsync,
    memory: (device = 0) => memoryOf(plugin, handleOf(device)),
    close: () => void plugin.call('Client_Destroy', { client }),
  };
}

function devicesOf(plugin: Plugin, client: Pointer): Client['devices'] {
  const found = plugin.call('Client_AddressableDevices', { client });
  return pointersAt(found.addressable_devices!, Number(found.num_addressable_devices)).map((handle, i) => {
    const { device_description: description } = plugin.call('Device_GetDescription', { device: handle });
    const { device_kind: kind, device_kind_size: size } = plugin.call('DeviceDescription_Kind', {
      device_description: description!,
    });
    return { handle, name: `device:${i}`, type: textAt(kind!, size!) };
  });
}

function nameOf(
  plugin: Plugin,
  client: Pointer,
  call: 'Client_PlatformName' | 'Client_PlatformVersion',
  field: string,
): string {
  const found = plugin.call(call, { client });
  return textAt(found[field]!, found[`${field}_size`]!);
}

/** Null for devices that do not count, as the CPU. */
function memoryOf(plugin: Plugin, device: Pointer): DeviceMemory | null {
  try {
    const found = plugin.call('Device_MemoryStats', { device });
    return {
      used: Number(found.bytes_in_use),
      peak: Number(found.peak_bytes_in_use),
      limit: found.bytes_limit_is_set === 0n ? null : Number(found.bytes_limit),
    };
  } catch {
    return null;
  }
}
