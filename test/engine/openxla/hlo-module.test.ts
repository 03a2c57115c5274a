import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from '../../../src/engine/pjrt/client.js';
import { hloStatistics } from '../../../src/engine/pjrt/hlo-module.js';
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
