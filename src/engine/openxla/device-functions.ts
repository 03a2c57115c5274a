/** @module Traced functions on a device: compiled at their first call, and called on buffers. */
import type { NativeTensor, Pointer, TracedFunction } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText, type StableHloFunction } from '../stablehlo/function.js';
import type { DeviceTensors } from './device-tensors.js';
import { storedProgram } from './program-store.js';
import type { DeviceTensor } from './stored.js';

/** A traced function, with the program that it is compiled to at its first call. */
interface DeviceFunction extends StableHloFunction {
  program(): Promise<LoadedProgram>;
}

export type DeviceFunctions = ReturnType<typeof createDeviceFunctions>;

export function createDeviceFunctions(client: Client, { values, settled, assign, release }: DeviceTensors) {
  /** Replaces the values of the variables that a call has changed. Their old buffers were donated. */
  function update(fn: StableHloFunction, tensors: readonly DeviceTensor[], results: readonly Pointer[]): void {
    fn.parameters.forEach(({ update: result }, i) => {
      if (result === null) return;
      const variable = tensors[i]!;
      const { shape, dtype } = variable.stored!;
      const next = values.tensor({ kind: 'device', buffer: results[result]! }, shape, dtype);
      assign(variable, next);
      release(next);
    });
  }

  /** Enqueues a program. Its results, and the new values of variables, have buffers at once; `done` tells when they are computed. */
  function start(fn: StableHloFunction, program: LoadedProgram, inputs: readonly NativeTensor[]) {
    const tensors = [...inputs, ...fn.constants] as DeviceTensor[];
    const stored = tensors.map(settled);
    const buffers = stored.map(values.buffer);
    // A value that another tensor has too must survive.
    const kept = stored.flatMap(({ owners }, i) => (fn.parameters[i]!.update !== null && owners > 1 ? [i] : []));
    const { results, done } = program.start([buffers], kept);
    client.adopt(results[0]!);
    update(fn, tensors, results[0]!);
    const made = fn.shapes.map((shape, i) =>
      values.tensor({ kind: 'device', buffer: results[0]![i]! }, shape, fn.results[i]!.dtype),
    );
    return { made, done };
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
          program ??= storedProgram(client, moduleText(fn)).catch((error: unknown) => {
            program = null;
            throw error;
          });
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
