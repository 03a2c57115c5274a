import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from '../../../src/engine/pjrt/client.js';
import { hloStatistics } from '../../../src/engine/pjrt/hlo-statistics.js';
import { loadPlugin } from '../../../src/engine/pjrt/plugin.js';
import { requirePlugin } from '../../../src/engine/setup/devices.js';

let client: Client;
beforeAll(() => {
  client = createClient(loadPlugin(requirePlugin('cpu-xla')), { cpu_device_count: 2n });
});
afterAll(() => client.close());

const sharding = (axes: string) => `{sdy.sharding = #sdy.sharding<@mesh, [${axes}]>}`;

/** A product over an axis that two devices share: each has half of the terms, which are then added. */
const SHARED_PRODUCT = `module @two attributes { mhlo.num_partitions = 2 : i32, mhlo.num_replicas = 1 : i32 } {
  sdy.mesh @mesh = <["devices"=2]>
  func.func public @main(%a: tensor<8x64xf32> ${sharding('{}, {"devices"}')}, %b: tensor<64x16xf32> ${sharding('{"devices"}, {}')}) -> (tensor<8x16xf32> ${sharding('{}, {}')}) {
    %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
    return %0 : tensor<8x16xf32>
  }
}`;

it('counts the collectives that the partitioner puts in, and the bytes of their results', () => {
  const program = client.compile(SHARED_PRODUCT, { partitions: 2 });
  const { opcodes, instructions } = hloStatistics(program.optimized());
  program.destroy();
  expect(opcodes.get('all-reduce')).toEqual({ count: 1, bytes: 8 * 16 * 4 });
  expect(instructions).toBeGreaterThan(3);
});

it('finds none in a program for one device', () => {
  const program = client.compile(
    'module @one { func.func public @main(%a: tensor<4xbf16>) -> (tensor<4xbf16>) { return %a : tensor<4xbf16> } }',
  );
  const { opcodes } = hloStatistics(program.optimized());
  program.destroy();
  expect(opcodes.get('parameter')).toEqual({ count: 1, bytes: 8 });
  expect(opcodes.has('all-reduce')).toBe(false);
});

it('counts what kernels read and write, of a table only the rows', () => {
  const program = client.compile(`module @rows {
  func.func public @main(%table: tensor<10000x16xf32> {tf.aliasing_output = 0 : i32}, %ids: tensor<8x1xi32>, %rows: tensor<8x16xf32>) -> (tensor<10000x16xf32>) {
    %0 = "stablehlo.scatter"(%table, %ids, %rows) <{scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [1], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = 1>, indices_are_sorted = false, unique_indices = true}> ({
    ^bb0(%p: tensor<f32>, %q: tensor<f32>):
      stablehlo.return %q : tensor<f32>
    }) : (tensor<10000x16xf32>, tensor<8x1xi32>, tensor<8x16xf32>) -> tensor<10000x16xf32>
    return %0 : tensor<10000x16xf32>
  }
}`);
  const { trafficBytes, kernels } = hloStatistics(program.optimized());
  program.destroy();
  expect(kernels).toBeGreaterThan(0);
  expect(trafficBytes).toBeGreaterThanOrEqual(2 * 8 * 16 * 4);
  expect(trafficBytes).toBeLessThan(10_000 * 16 * 4);
});

it('counts both sides of a product', () => {
  const program = client.compile(`module @product {
  func.func public @main(%a: tensor<64x128xf32>, %b: tensor<128x32xf32>) -> (tensor<64x32xf32>) {
    %0 = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0] : (tensor<64x128xf32>, tensor<128x32xf32>) -> tensor<64x32xf32>
    return %0 : tensor<64x32xf32>
  }
}`);
  const { trafficBytes } = hloStatistics(program.optimized());
  program.destroy();
  expect(trafficBytes).toBe(4 * (64 * 128 + 128 * 32 + 64 * 32));
});
