/** @module The runtime on a device of OpenXLA: values are buffers of the device, and everything that computes is compiled by XLA. */
import type { Attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { NativeTensor, Pointer, Runtime, TracedFunction } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText, type StableHloFunction } from '../stablehlo/function.js';
import { createStableHloGraph, type GraphHost } from '../stablehlo/graph.js';
import { byteCountOf } from './byte-count.js';
import { createCollectedOperations } from './collected-operations.js';
import { storedProgram } from './program-store.js';
import type { DeviceTensor, Stored } from './stored.js';
import { createValues } from './values.js';

/** Values up to this size are written into programs; larger ones are passed to them. */
const LITERAL_BYTES = 4096;

const scalar = (value: number) => new Uint8Array(Int32Array.of(value).buffer);

interface Options {
  /** Ends the process immediately, whatever its threads are doing. */
  readonly leave: (exitCode: number) => void;
}

/** A traced function, with the program that it is compiled to at its first call. */
interface DeviceFunction extends StableHloFunction {
  program(): Promise<LoadedProgram>;
}

export function createOpenXlaRuntime(client: Client, { leave }: Options): Runtime {
  const values = createValues(client, (stored) => collected.forget(stored));
  const collected = createCollectedOperations(client, () => values, read);

  /** A value that is computed, if it was pending. */
  function settled(tensor: NativeTensor): Stored {
    const stored = values.of(tensor as DeviceTensor);
    if (stored.place.kind === 'pending') collected.flush();
    return stored;
  }

  function read(tensor: NativeTensor): Uint8Array {
    return values.download(settled(tensor));
  }

  function release(tensor: NativeTensor): void {
    const own = tensor as DeviceTensor;
    if (own.output !== undefined || own.released) return;
    own.released = true;
    if (own.stored !== null) values.drop(own.stored);
    own.stored = null;
  }

  /** Gives a variable the value of a tensor. */
  function assign(variable: DeviceTensor, tensor: NativeTensor): void {
    const { stored } = values.share(values.of(tensor as DeviceTensor));
    if (variable.stored !== null) values.drop(variable.stored);
    variable.stored = stored;
  }

  /** Changes rows of a variable in place, which collected operations could not: their results are new values. */
  const scatters = new Map<string, { readonly fn: StableHloFunction; readonly program: LoadedProgram }>();
  function scatterFor(inputs: readonly NativeTensor[]) {
    const key = JSON.stringify(inputs.map(({ shape, dtype, valueType }) => [shape, dtype, valueType]));
    let found = scatters.get(key);
    if (found === undefined) {
      const graph = createStableHloGraph(host);
      graph.execute(
        'ResourceScatterUpdate',
        [],
        inputs.map((input) => graph.input(input)),
        0,
      );
      const fn = graph.finish('scatter', []);
      found = { fn, program: client.compile(moduleText(fn)) };
      scatters.set(key, found);
    }
    return found;
  }

  const variableOperations: Readonly<
    Record<string, (attributes: readonly Attribute[], inputs: readonly NativeTensor[]) => NativeTensor[]>
  > = {
    VarHandleOp: (attributes) => {
      const [shape, dtype] = ['shape', 'dtype'].map((name) => attributes.find((a) => a.name === name)!.value);
      const variable: DeviceTensor = {
        ...{ handle: 0n, shape: [...(shape as number[])], dtype: DataType.resource, valueType: dtype as number },
        ...{ stored: null, released: false },
      };
      return [variable];
    },
    DestroyResourceOp: () => [],
    ReadVariableOp: (_attributes, [variable]) => [values.share(values.of(variable as DeviceTensor))],
    AssignVariableOp: (_attributes, [variable, tensor]) => {
      assign(variable as DeviceTensor, tensor!);
      return [];
    },
    ResourceGather: (_attributes, [variable, ids]) => {
      const [axis, batch] = [
        values.create(scalar(0), [], DataType.int32),
        { name: 'batch_dims', type: 1, value: 0 },
      ] as const;
      const rows = collected.execute('GatherV2', [batch], [variable!, ids!, axis]);
      release(axis);
      return rows;
    },
    ResourceScatterUpdate: (_attributes, inputs) => {
      const { fn, program } = scatterFor(inputs);
      const { done } = start(fn, program, inputs);
      for (const event of done) client.wait(event);
      return [];
    },
  };

  const host: GraphHost = {
    read,
    release,
    isLiteral: (tensor) => byteCountOf(tensor) <= LITERAL_BYTES,
  };

  /** A finished function with its program. What it captured stays alive until it is removed. */
  function withProgram(fn: StableHloFunction): DeviceFunction {
    const constants = fn.constants.map((tensor) => values.share(settled(tensor)));
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
        for (const tensor of constants) release(tensor);
        program?.then(
          (loaded) => loaded.destroy(),
          () => undefined,
        );
      },
    };
  }

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
    const { results, done } = program.start([buffers], kept, false);
    client.adopt(results[0]!);
    update(fn, tensors, results[0]!);
    const made = fn.shapes.map((shape, i) =>
      values.tensor({ kind: 'device', buffer: results[0]![i]! }, shape, fn.results[i]!.dtype),
    );
    return { made, done };
  }

  async function call(traced: TracedFunction, inputs: readonly NativeTensor[]): Promise<NativeTensor[]> {
    const fn = traced as DeviceFunction;
    const { made, done } = start(fn, await fn.program(), inputs);
    try {
      for (const event of done) await client.waitAsync(event);
    } catch (error) {
      for (const tensor of made) release(tensor);
      throw error;
    }
    return made;
  }

  return {
    version: client.platformVersion,
    devices: client.devices,
    leave,
    create: values.create,
    createFromChunks: values.createFromChunks,
    read,
    release,
    readChunks: (tensor, chunkBytes) => values.downloadChunks(settled(tensor), chunkBytes),
    createZeros(shape, dtype) {
      const [extents, zero] = [
        values.create(new Uint8Array(Int32Array.from(shape).buffer), [shape.length], DataType.int32),
        values.create(new Uint8Array(byteCountOf({ shape: [], dtype })), [], dtype),
      ];
      const [zeros] = collected.execute('Fill', [], [extents, zero]);
      for (const input of [extents, zero]) release(input);
      return zeros!;
    },
    execute(name, attributes, inputs) {
      const onVariable = variableOperations[name];
      return onVariable === undefined ? collected.execute(name, attributes, inputs) : onVariable(attributes, inputs);
    },
    createGraph() {
      const graph = createStableHloGraph(host);
      return { ...graph, finish: (name, outputs) => withProgram(graph.finish(name, outputs)) };
    },
    call,
    async compile(fn) {
      await (fn as DeviceFunction).program();
    },
    memory: () => client.memory(),
    liveHandles: () => values.live(),
  };
}
