/** @module Operations on variables outside traced functions. A variable is a tensor whose value can be replaced. */
import { type Attribute, attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { NativeTensor } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText, type StableHloFunction } from '../stablehlo/function.js';
import { createStableHloGraph, type GraphHost } from '../stablehlo/graph.js';
import type { DeviceFunctions } from './device-functions.js';
import type { DeviceTensors } from './device-tensors.js';
import { type Layout, shardingOf } from './split.js';
import type { DeviceTensor } from './stored.js';
import { variableHandle } from './variable-handle.js';

type VariableOperation = (attributes: readonly Attribute[], inputs: readonly NativeTensor[]) => NativeTensor[];

const FIRST_AXIS = new Uint8Array(Int32Array.of(0).buffer);

/** Programs that change rows of a variable in place, which collected operations could not: their results are new values. */
function createScatters(client: Client, layout: Layout, host: GraphHost) {
  const known = new Map<string, { readonly fn: StableHloFunction; readonly program: LoadedProgram }>();
  return (inputs: readonly NativeTensor[]) => {
    const key = JSON.stringify(inputs.map(({ shape, dtype, valueType }) => [shape, dtype, valueType]));
    let found = known.get(key);
    if (found === undefined) {
      const graph = createStableHloGraph(host);
      const given = inputs.map((input) => graph.input(input));
      graph.execute('ResourceScatterUpdate', [], given, 0);
      const fn = graph.finish('scatter', []);
      found = { fn, program: client.compile(moduleText(fn, shardingOf(layout, fn)), { partitions: layout.devices }) };
      known.set(key, found);
    }
    return found;
  };
}

export function createDeviceVariables(
  client: Client,
  layout: Layout,
  host: GraphHost,
  { values, assign, release, execute }: DeviceTensors,
  functions: DeviceFunctions,
): Readonly<Record<string, VariableOperation>> {
  const scatterFor = createScatters(client, layout, host);
  return {
    VarHandleOp: (attributes) => {
      const variable: DeviceTensor = { ...variableHandle(attributes), stored: null, released: false };
      return [variable];
    },
    DestroyResourceOp: () => [],
    ReadVariableOp: (_attributes, [variable]) => [values.share(values.of(variable as DeviceTensor))],
    AssignVariableOp: (_attributes, [variable, tensor]) => {
      assign(variable as DeviceTensor, tensor!);
      return [];
    },
    ResourceGather: (_attributes, [variable, ids]) => {
      const axis = values.create(FIRST_AXIS, [], DataType.int32);
      const rows = execute('GatherV2', [attribute.int('batch_dims', 0)], [variable!, ids!, axis]);
      release(axis);
      return rows;
    },
    ResourceScatterUpdate: (_attributes, inputs) => {
      const { fn, program } = scatterFor(inputs);
      functions.run(fn, program, inputs);
      return [];
    },
  };
}
