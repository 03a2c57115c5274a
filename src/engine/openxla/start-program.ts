/** @module Starts a program on values of the devices. */
import type { Pointer } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { type Layout, perDevice } from './split.js';

/**
 * Enqueues a program. Its results have buffers at once.
 * @param inputs the buffers of each input, one on each device
 * @param kept indices of inputs that must survive although the program would overwrite them
 * @returns the buffers of each result, and the events that tell when a device is done, which the caller waits for
 */
export function startProgram(
  client: Client,
  layout: Layout,
  program: LoadedProgram,
  inputs: readonly (readonly Pointer[])[],
  kept: readonly number[] = [],
) {
  const started = program.start(
    perDevice(layout, (device) => inputs.map((buffers) => buffers[device]!)),
    kept,
  );
  started.results.forEach(client.adopt);
  const results = Array.from({ length: program.resultCount }, (_, i) => started.results.map((list) => list[i]!));
  return { results, done: started.done };
}
