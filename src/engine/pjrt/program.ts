/** @module Compiled programs: what the compiler says of them, and running them. */
import type { Pointer } from '../executor.js';
import { type CompileOptions, encodeCompileOptions } from './compile-options.js';
import { STRUCTS } from './layouts.js';
import { type Arena, pointersAt, viewOf, withArena } from './native-memory.js';
import { type Plugin, readStruct, type Values, writeStruct } from './plugin.js';

/** Bytes on one device. */
export interface MemoryStatistics {
  readonly generatedCode: number;
  readonly arguments: number;
  readonly results: number;
  /** Results that take the place of arguments. */
  readonly aliased: number;
  readonly temporaries: number;
  /** At the worst moment, arguments and results included. 0 where the compiler does not say. */
  readonly peak: number;
}

/** A program that is compiled for a device, which need not be present. */
export interface Executable {
  readonly handle: Pointer;
  readonly resultCount: number;
  memory(): MemoryStatistics;
  /** What the compiler made of the program: HloModuleProtoWithConfig. */
  optimized(): Uint8Array;
  /** The machine code, for `deserialize` of a client of the same plugin and device. */
  serialize(): Uint8Array;
  destroy(): void;
}

export function createExecutable(plugin: Plugin, handle: Pointer): Executable {
  const { num_outputs: count } = plugin.call('Executable_NumOutputs', { executable: handle });
  return {
    handle,
    resultCount: Number(count),
    memory() {
      const found = plugin.call('Executable_GetCompiledMemoryStats', { executable: handle });
      const bytes = (name: string) => Number(found[name]);
      return {
        generatedCode: bytes('generated_code_size_in_bytes'),
        arguments: bytes('argument_size_in_bytes'),
        results: bytes('output_size_in_bytes'),
        aliased: bytes('alias_size_in_bytes'),
        temporaries: bytes('temp_size_in_bytes'),
        peak: bytes('peak_memory_in_bytes'),
      };
    },
    optimized: () =>
      withArena((arena) => {
        const ask = (values: Values) => {
          const program = writeStruct(arena, STRUCTS.Program, values);
          plugin.call('Executable_OptimizedProgram', { executable: handle, program: program.at });
          return readStruct(program.bytes, STRUCTS.Program);
        };
        // Without memory for the code, a call only tells its size.
        const size = Number(ask({}).code_size);
        const code = arena.allocate(size);
        ask({ code: code.at, code_size: size });
        return Uint8Array.from(code.bytes.subarray(0, size));
      }),
    serialize() {
      const found = plugin.call('Executable_Serialize', { executable: handle });
      const bytes = Uint8Array.from(viewOf(found.serialized_bytes!, Number(found.serialized_bytes_size)));
      plugin.release(found.serialized_executable_deleter!, found.serialized_executable!);
      return bytes;
    },
    destroy: () => void plugin.call('Executable_Destroy', { executable: handle }),
  };
}

/** PJRT_Program for a StableHLO module as text. */
export function writeProgram(arena: Arena, text: string): Pointer {
  const [code, format] = [arena.copy(text), arena.copy('mlir')];
  const values = { code: code.at, code_size: code.size, format: format.at, format_size: format.size };
  return writeStruct(arena, STRUCTS.Program, values).at;
}

/** The arguments that every kind of compilation has. */
export function compileArguments(arena: Arena, text: string, options: CompileOptions) {
  const encoded = arena.copy(encodeCompileOptions(options));
  return {
    program: writeProgram(arena, text),
    compile_options: encoded.at,
    compile_options_size: encoded.size,
  };
}

/** A program that a client's devices can run. */
export interface LoadedProgram extends Executable {
  /**
   * Starts the program on its devices. The call returns when it is enqueued.
   * @param inputs the buffers of each device
   * @param kept indices of inputs that must survive although the program would overwrite them
   * @returns the results of each device, and the events that are ready when a device is done, which the caller destroys
   */
  start(inputs: readonly (readonly Pointer[])[], kept: readonly number[]): Started;
}

export interface Started {
  readonly results: readonly (readonly Pointer[])[];
  readonly done: readonly Pointer[];
}

export function createLoadedProgram(plugin: Plugin, loaded: Pointer): LoadedProgram {
  const { executable } = plugin.call('LoadedExecutable_GetExecutable', { loaded_executable: loaded });
  const base = createExecutable(plugin, executable!);

  function prepare(arena: Arena, inputs: readonly (readonly Pointer[])[], kept: readonly number[]) {
    const results = inputs.map(() => arena.pointers(new Array<Pointer>(base.resultCount).fill(0n)));
    const events = arena.pointers(inputs.map(() => 0n));
    const options = writeStruct(arena, STRUCTS.ExecuteOptions, {
      non_donatable_input_indices: arena.int64s(kept),
      num_non_donatable_input_indices: kept.length,
    });
    const values = {
      executable: loaded,
      options: options.at,
      argument_lists: arena.pointers(inputs.map((list) => arena.pointers(list))),
      num_devices: inputs.length,
      num_args: inputs[0]!.length,
      output_lists: arena.pointers(results),
      device_complete_events: events,
    };
    const read = (): Started => ({
      results: results.map((at) => pointersAt(at, base.resultCount)),
      done: pointersAt(events, inputs.length),
    });
    return { values, read };
  }

  return {
    ...base,
    start: (inputs, kept) =>
      withArena((arena) => {
        const { values, read } = prepare(arena, inputs, kept);
        plugin.call('LoadedExecutable_Execute', values);
        return read();
      }),
    destroy() {
      base.destroy();
      plugin.call('LoadedExecutable_Destroy', { executable: loaded });
    },
  };
}
