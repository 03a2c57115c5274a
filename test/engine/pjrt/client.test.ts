import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../../../src/engine/pjrt/client.js';
import { BufferType } from '../../../src/engine/pjrt/layouts.js';
import { createArena, withArena } from '../../../src/engine/pjrt/native-memory.js';
import { loadPlugin, type Plugin } from '../../../src/engine/pjrt/plugin.js';
import { requirePlugin } from '../../../src/engine/setup/devices.js';

let plugin: Plugin;
let client: Client;
beforeAll(() => {
  plugin = loadPlugin(requirePlugin('cpu-xla'));
  client = createClient(plugin, { cpu_device_count: 2n });
});
afterAll(() => client.close());

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const upload = (values: number[], device = 0) =>
  client.upload(floats(...values), [values.length], BufferType.f32, device);

function download(buffer: bigint, count: number): number[] {
  return withArena((arena) => {
    const { at, bytes } = arena.allocate(4 * count);
    client.download(buffer, at, 4 * count);
    return Array.from({ length: count }, (_, i) => bytes.readFloatLE(4 * i));
  });
}

/** x + y, written over x. */
const SUM = `module @sum {
  func.func public @main(%a: tensor<3xf32> {tf.aliasing_output = 0 : i32}, %b: tensor<3xf32>) -> (tensor<3xf32>) {
    %0 = stablehlo.add %a, %b : tensor<3xf32>
    return %0 : tensor<3xf32>
  }
}`;

describe('a plugin', () => {
  it('says its version and its attributes', () => {
    expect(plugin.version.major).toBe(0);
    expect(plugin.version.minor).toBeGreaterThan(68);
    expect(plugin.attributes).toHaveProperty('xla_version');
  });

  it('reports what fails in its own words', () => {
    expect(() => client.compile('module @broken { nonsense }')).toThrow(/error/i);
    expect(() => client.deserialize(Uint8Array.of(1, 2, 3))).toThrow();
  });
});

describe('a client', () => {
  it('has the devices that it was asked for', () => {
    expect(client.devices).toHaveLength(2);
    expect(client.platform).toBe('cpu');
  });

  it('copies values there and back, on each device', () => {
    for (const device of [0, 1]) {
      const buffer = upload([1, 2.5, -3], device);
      expect(download(buffer, 3)).toEqual([1, 2.5, -3]);
      client.release(buffer);
    }
  });

  it('fills a buffer from native memory, which is freed afterwards', async () => {
    const arena = createArena();
    const { at, bytes } = arena.allocate(8);
    bytes.set(floats(4, 5));
    let freed = false;
    const free = () => {
      freed = true;
      arena.free();
    };
    const buffer = client.uploadFrom({ at, free }, [2], BufferType.f32);
    expect(download(buffer, 2)).toEqual([4, 5]);
    client.release(buffer);
    await expect.poll(() => freed).toBe(true);
  });
});

describe('a program', () => {
  it('runs, and writes a result over the argument that was donated', () => {
    const program = client.compile(SUM);
    const [a, b] = [upload([1, 2, 3]), upload([10, 20, 30])];
    const { results, done } = program.start([[a, b]], []);
    client.adopt(results[0]!);
    for (const event of done) client.wait(event);
    expect(download(results[0]![0]!, 3)).toEqual([11, 22, 33]);
    expect(() => download(a, 3), 'a donated buffer').toThrow(/deleted|donated/i);
    for (const buffer of [a, b, results[0]![0]!]) client.release(buffer);
    program.destroy();
  });

  it('leaves an argument alone that must survive', async () => {
    const program = await client.compileAsync(SUM);
    const [a, b] = [upload([1, 2, 3]), upload([10, 20, 30])];
    const { results, done } = program.start([[a, b]], [0]);
    client.adopt(results[0]!);
    for (const event of done) await client.waitAsync(event);
    expect(download(a, 3)).toEqual([1, 2, 3]);
    expect(download(results[0]![0]!, 3)).toEqual([11, 22, 33]);
    for (const buffer of [a, b, results[0]![0]!]) client.release(buffer);
    program.destroy();
  });

  it('says what memory it takes, and which results replace arguments', () => {
    const program = client.compile(SUM);
    expect(program.memory()).toMatchObject({ arguments: 24, results: 12, aliased: 12 });
    program.destroy();
  });

  it('can be stored and loaded again', () => {
    const program = client.compile(SUM);
    const again = client.deserialize(program.serialize());
    const [a, b] = [upload([1, 1, 1]), upload([2, 3, 4])];
    const { results, done } = again.start([[a, b]], []);
    client.adopt(results[0]!);
    for (const event of done) client.wait(event);
    expect(download(results[0]![0]!, 3)).toEqual([3, 4, 5]);
    for (const buffer of [a, b, results[0]![0]!]) client.release(buffer);
    program.destroy();
    again.destroy();
  });

  it('leaks neither buffers nor memory over 2,000 runs', () => {
    const program = client.compile(SUM);
    const before = client.live();
    const run = () => {
      const [a, b] = [upload([1, 2, 3]), upload([10, 20, 30])];
      const { results, done } = program.start([[a, b]], []);
      client.adopt(results[0]!);
      for (const event of done) client.wait(event);
      for (const buffer of [a, b, results[0]![0]!]) client.release(buffer);
    };
    for (let i = 0; i < 500; i++) run();
    const settled = process.memoryUsage().rss;
    for (let i = 0; i < 2000; i++) run();
    expect(client.live()).toBe(before);
    // A leaked struct of each call alone would take 3 MB.
    expect(process.memoryUsage().rss - settled).toBeLessThan(32 * 2 ** 20);
    program.destroy();
  });
});
