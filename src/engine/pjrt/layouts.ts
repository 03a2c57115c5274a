/**
 * @module The part of OpenXLA's PJRT C API (xla/pjrt/c/pjrt_c_api.h) that this project calls, as data. Every function takes one pointer to a
 * struct of arguments, whose first word is its own size, and returns a PJRT_Error* or null. New versions add fields at the end of a struct and
 * functions at the end of the table, so these offsets hold for all of them.
 */

/** The offset of a field in bytes, and its width. Pointers and sizes take 8 bytes. */
export interface Field {
  readonly offset: number;
  readonly width: 1 | 4 | 8;
}

const u64 = (offset: number): Field => ({ offset, width: 8 });
const u32 = (offset: number): Field => ({ offset, width: 4 });
const u8 = (offset: number): Field => ({ offset, width: 1 });

export interface Layout {
  /** Up to the end of the last field, without padding. */
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

/** The version of the header that these layouts were taken from. */
export const HEADER_VERSION = { major: 0, minor: 114 } as const;

/** Plugins since this minor version, of March 2025, have all functions of the table below. */
export const OLDEST_MINOR = 68;

/** The head of PJRT_Api: its size, the version, and then one pointer per function. */
export const API = { sizeAt: 0, majorAt: 32, minorAt: 36, functionsAt: 40 } as const;

/** The functions, without their prefix `PJRT_`: the place in the table, and the struct of arguments. */
export const FUNCTIONS = {
  Error_Destroy: { slot: 0, size: 24, fields: { error: u64(16) } },
  Error_Message: { slot: 1, size: 40, fields: { error: u64(16), message: u64(24), message_size: u64(32) } },
  Error_GetCode: { slot: 2, size: 28, fields: { error: u64(16), code: u32(24) } },
  Plugin_Initialize: { slot: 3, size: 16, fields: {} },
  Plugin_Attributes: { slot: 4, size: 32, fields: { attributes: u64(16), num_attributes: u64(24) } },
  Event_Destroy: { slot: 5, size: 24, fields: { event: u64(16) } },
  Event_Await: { slot: 8, size: 24, fields: { event: u64(16) } },
  Client_Create: { slot: 10, size: 88, fields: { create_options: u64(16), num_options: u64(24), client: u64(64) } },
  Client_Destroy: { slot: 11, size: 24, fields: { client: u64(16) } },
  Client_PlatformName: {
    slot: 12,
    size: 40,
    fields: { client: u64(16), platform_name: u64(24), platform_name_size: u64(32) },
  },
  Client_PlatformVersion: {
    slot: 14,
    size: 40,
    fields: { client: u64(16), platform_version: u64(24), platform_version_size: u64(32) },
  },
  Client_AddressableDevices: {
    slot: 16,
    size: 40,
    fields: { client: u64(16), addressable_devices: u64(24), num_addressable_devices: u64(32) },
  },
  Client_Compile: {
    slot: 20,
    size: 56,
    fields: {
      client: u64(16),
      program: u64(24),
      compile_options: u64(32),
      compile_options_size: u64(40),
      executable: u64(48),
    },
  },
  Client_BufferFromHostBuffer: {
    slot: 22,
    size: 120,
    fields: {
      client: u64(16),
      data: u64(24),
      type: u32(32),
      dims: u64(40),
      num_dims: u64(48),
      host_buffer_semantics: u32(72),
      device: u64(80),
      done_with_host_buffer: u64(104),
      buffer: u64(112),
    },
  },
  Device_GetDescription: { slot: 29, size: 32, fields: { device: u64(16), device_description: u64(24) } },
  DeviceDescription_Kind: {
    slot: 26,
    size: 40,
    fields: { device_description: u64(16), device_kind: u64(24), device_kind_size: u64(32) },
  },
  Device_MemoryStats: {
    slot: 34,
    size: 201,
    fields: {
      device: u64(16),
      bytes_in_use: u64(24),
      peak_bytes_in_use: u64(32),
      bytes_limit: u64(80),
      bytes_limit_is_set: u8(88),
    },
  },
  Executable_Destroy: { slot: 40, size: 24, fields: { executable: u64(16) } },
  Executable_NumOutputs: { slot: 44, size: 32, fields: { executable: u64(16), num_outputs: u64(24) } },
  Executable_OptimizedProgram: { slot: 48, size: 32, fields: { executable: u64(16), program: u64(24) } },
  Executable_Serialize: {
    slot: 49,
    size: 56,
    fields: {
      executable: u64(16),
      serialized_bytes: u64(24),
      serialized_bytes_size: u64(32),
      serialized_executable: u64(40),
      serialized_executable_deleter: u64(48),
    },
  },
  Executable_DeserializeAndLoad: {
    slot: 56,
    size: 72,
    fields: {
      client: u64(16),
      serialized_executable: u64(24),
      serialized_executable_size: u64(32),
      loaded_executable: u64(40),
    },
  },
  Executable_GetCompiledMemoryStats: {
    slot: 96,
    size: 144,
    fields: {
      executable: u64(16),
      generated_code_size_in_bytes: u64(24),
      argument_size_in_bytes: u64(32),
      output_size_in_bytes: u64(40),
      alias_size_in_bytes: u64(48),
      temp_size_in_bytes: u64(56),
      peak_memory_in_bytes: u64(104),
    },
  },
  LoadedExecutable_Destroy: { slot: 50, size: 24, fields: { executable: u64(16) } },
  LoadedExecutable_GetExecutable: { slot: 51, size: 32, fields: { loaded_executable: u64(16), executable: u64(24) } },
  LoadedExecutable_Execute: {
    slot: 55,
    size: 80,
    fields: {
      executable: u64(16),
      options: u64(24),
      argument_lists: u64(32),
      num_devices: u64(40),
      num_args: u64(48),
      output_lists: u64(56),
      device_complete_events: u64(64),
    },
  },
  Buffer_Destroy: { slot: 58, size: 24, fields: { buffer: u64(16) } },
  Buffer_ToHostBuffer: {
    slot: 70,
    size: 56,
    fields: { src: u64(16), dst: u64(32), dst_size: u64(40), event: u64(48) },
  },
  TopologyDescription_Create: {
    slot: 82,
    size: 56,
    fields: {
      topology_name: u64(16),
      topology_name_size: u64(24),
      create_options: u64(32),
      num_options: u64(40),
      topology: u64(48),
    },
  },
  TopologyDescription_Destroy: { slot: 83, size: 24, fields: { topology: u64(16) } },
  TopologyDescription_Attributes: {
    slot: 88,
    size: 40,
    fields: { topology: u64(16), attributes: u64(24), num_attributes: u64(32) },
  },
  Compile: {
    slot: 89,
    size: 64,
    fields: {
      topology: u64(16),
      program: u64(24),
      compile_options: u64(32),
      compile_options_size: u64(40),
      executable: u64(56),
    },
  },
} as const satisfies Readonly<Record<string, Layout & { readonly slot: number }>>;

export type FunctionName = keyof typeof FUNCTIONS;

/** Structs that arguments point to. */
export const STRUCTS = {
  ExecuteOptions: {
    size: 144,
    fields: { non_donatable_input_indices: u64(56), num_non_donatable_input_indices: u64(64) },
  },
  Program: { size: 48, fields: { code: u64(16), code_size: u64(24), format: u64(32), format_size: u64(40) } },
  NamedValue: {
    size: 56,
    fields: { name: u64(16), name_size: u64(24), type: u32(32), value: u64(40), value_size: u64(48) },
  },
} as const satisfies Readonly<Record<string, Layout>>;

/** PJRT_Buffer_Type. */
export const BufferType = { pred: 1, s8: 2, s32: 4, s64: 5, u8: 6, u32: 8, f32: 11, f64: 12, bf16: 13 } as const;

/** PJRT_NamedValue_Type. */
export const ValueType = { string: 0, int64: 1, int64List: 2, float: 3, bool: 4 } as const;

/** PJRT_HostBufferSemantics: the host's memory may be changed or freed when done_with_host_buffer is ready. */
export const IMMUTABLE_UNTIL_TRANSFER_COMPLETES = 1;
