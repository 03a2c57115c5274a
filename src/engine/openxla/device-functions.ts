/** @module Traced functions on a device: compiled at their first call, and called on buffers. */
import type { NativeTensor, TracedFunction } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText, type StableHloFunction } from '../stablehlo/function.js';
import type { DeviceTensors } from './device-tensors.js';
import { storedProgram } from './program-store.js';
import { type Layout, shardingOf } from './split.js';
import { startProgram } from './start-program.js';
import type { DeviceTensor } from './stored.js';

/** A traced function, with the program that it is compiled to at its first call. */
interface DeviceFunction extends StableHloFunction {
  program(): Promise<LoadedProgram>;
}

export type DeviceFunctions = ReturnType<typeof createDeviceFunctions>;

export function createDeviceFunctions(
  client: Client,
  layout: Layout,
  { values, settled, placed, assign, release }: DeviceTensors,
) {
  /** Enqueues a program. Its results, and the new values of variables, have buffers at once; `done` tells when they are computed. */
  function start(fn: StableHloFunction, program: LoadedProgram, inputs: readonly NativeTensor[]) {
    const sharding = shardingOf(layout, fn);
    const tensors = [...inputs, ...fn.constants] as DeviceTensor[];
    const stored = tensors.map(settled);
    const given = stored.map((value, i) => placed(value, sharding?.parameters[i] ?? null));
    // A value that another tensor has too must survive.
    const isShared = (i: number) => stored[i]!.owners > 1 && !given[i]!.isCopy;
    const kept = fn.parameters.flatMap(({ update }, i) => (update !== null && isShared(i) ? [i] : []));
    const places = given.map(({ place }) => place.buffers);
    const { results, done } = startProgram(client, layout, program, places, kept);
    for (const { place, isCopy } of given) if (isCopy) place.buffers.forEach(client.release);
    const made = fn.results.map(({ shape, dtype }, i) =>
      values.tensor({ kind: 'device', buffers: results[i]!, split: sharding?.results[i] ?? null }, shape, dtype),
    );
    // The old buffers of the variables that the call has changed were donated.
    fn.parameters.forEach(({ update }, i) => {
      if (update !== null) assign(tensors[i]!, made[update]!);
    });
    for (const replaced of made.slice(fn.shapes.length)) release(replaced);
    return { made: made.slice(0, fn.shapes.length), done };
  }

  return {
    /** A finished function with its program. What it captured stays alive until it is removed. */
    withProgram(fn: StableHloFunction): DeviceFunction {
      const constants = fn.constants.map((tensor) => values.hold(settled(tensor)));
      let program: Promise<LoadedProgram> | null = null;
      return {
        ...fn,
        constants,
        program() {
          program ??= storedProgram(client, moduleText(fn, shardingOf(layout, fn)), layout.devices).catch(
            (error: unknown) => {
              program = null;
              throw error;
            },
          );
          return program;
        },
        remove() {
          for (const tensor of constants) values.letGo(tensor);
          program?.then(
            (loaded) => loaded.destroy(),
            () => undefined,
          );
        },
      };
    },
    async compile(fn: TracedFunction): Promise<void> {
      await (fn as DeviceFunction).program();
    },
    async call(traced: TracedFunction, inputs: readonly NativeTensor[]): Promise<NativeTensor[]> {
      const fn = traced as DeviceFunction;
      const { made, done } = start(fn, await fn.program(), inputs);
      try {
        for (const event of done) await client.waitAsync(event);
      } catch (error) {
        for (const tensor of made) release(tensor);
        throw error;
      }
      return made;
    },
    /** Runs a program that returns nothing but changes variables, and waits for it. */
    run(fn: StableHloFunction, program: LoadedProgram, inputs: readonly NativeTensor[]): void {
      for (const event of start(fn, program, inputs).done) client.wait(event);
    },
  };
}
