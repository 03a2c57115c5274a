/** @module Compilation for devices that are absent: the compiler needs only their description. */
import type { CompileOptions } from './compile-options.js';
import { type NamedValue, writeNamedValues } from './named-values.js';
import { withArena } from './native-memory.js';
import type { Plugin } from './plugin.js';
import { compileArguments, createExecutable, type Executable } from './program.js';

export interface Topology {
  compile(text: string, options?: CompileOptions): Executable;
  destroy(): void;
}

/** @param options of the plugin; the CUDA plugin takes `topology` ("hosts x processes x devices") and `target_config` */
export function createTopology(plugin: Plugin, options: Readonly<Record<string, NamedValue>>): Topology {
  const topology = withArena((arena) => {
    const [name, values] = [arena.copy('target'), writeNamedValues(arena, options)];
    return plugin.call('TopologyDescription_Create', {
      topology_name: name.at,
      topology_name_size: name.size,
      create_options: values.at,
      num_options: values.count,
    }).topology!;
  });
  return {
    compile: (text, compileOptions = {}) =>
      withArena((arena) => {
        const values = { topology, ...compileArguments(arena, text, compileOptions) };
        return createExecutable(plugin, plugin.call('Compile', values).executable!);
      }),
    destroy: () => void plugin.call('TopologyDescription_Destroy', { topology }),
  };
}
