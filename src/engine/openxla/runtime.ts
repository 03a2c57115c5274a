/** @module The runtime on a device of OpenXLA: values are buffers of the device, and everything that computes is compiled by XLA. */
import { DataType } from '../data-type.js';
import type { Runtime } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import { createStableHloGraph, type GraphHost } from '../stablehlo/graph.js';
import { byteCountOf } from './byte-count.js';
import { createDeviceFunctions } from './device-functions.js';
import { createDeviceTensors } from './device-tensors.js';
import { createDeviceVariables } from './device-variables.js';
import type { Layout } from './split.js';

/** Values up to this size are written into programs; larger ones are passed to them. */
export const LITERAL_BYTES = 4096;

interface Options {
  readonly layout: Layout;
  readonly triton: boolean;
  /** Ends the process immediately, whatever its threads are doing. */
  readonly leave: (exitCode: number) => void;
}

export function createOpenXlaRuntime(client: Client, { layout, triton, leave }: Options): Runtime {
  const tensors = createDeviceTensors(client, layout);
  const { values, settled, read, release, execute } = tensors;
  const host: GraphHost = { read, release, isLiteral: (tensor) => byteCountOf(tensor) <= LITERAL_BYTES };
  const functions = createDeviceFunctions(client, layout, tensors);
  const onVariables = createDeviceVariables(client, layout, host, tensors, functions);

  return {
    ...{ version: client.platformVersion, devices: client.devices.slice(0, layout.devices), leave, read, release },
    ...{ create: values.create, createFromChunks: values.createFromChunks },
    readChunks: (tensor, chunkBytes) => values.downloadChunks(settled(tensor), chunkBytes),
    createZeros(shape, dtype) {
      const extents = values.create(new Uint8Array(Int32Array.from(shape).buffer), [shape.length], DataType.int32);
      const zero = values.create(new Uint8Array(byteCountOf({ shape: [], dtype })), [], dtype);
      const [zeros] = execute('Fill', [], [extents, zero]);
      for (const input of [extents, zero]) release(input);
      return zeros!;
    },
    execute: (name, attributes, inputs) => onVariables[name]?.(attributes, inputs) ?? execute(name, attributes, inputs),
    createGraph() {
      const graph = createStableHloGraph(host);
      return { ...graph, finish: (name, outputs) => functions.withProgram(graph.finish(name, outputs)) };
    },
    call: functions.call,
    compile: functions.compile,
    ...{ sumOverProcesses: null, triton },
    memory: () => client.memory(),
    liveHandles: () => values.live(),
  };
}
