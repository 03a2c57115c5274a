/** @module Divides values over the devices in another way, by a program whose result is its parameter. */
import type { Client } from '../pjrt/client.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText } from '../stablehlo/function.js';
import { createStableHloGraph } from '../stablehlo/graph.js';
import type { Layout, Split } from './split.js';
import { startProgram } from './start-program.js';
import type { DevicePlace, Stored } from './stored.js';

/** An identity has no constants. */
const HOST = { read: () => new Uint8Array(), release: () => undefined, isLiteral: () => false };

/** @returns a function that copies a value to a new place; the old one stays */
export function createMoves(client: Client, layout: Layout) {
  const { devices } = layout;
  const programs = new Map<string, LoadedProgram>();

  function programFor({ shape, dtype }: Stored, from: Split, to: Split): LoadedProgram {
    const graph = createStableHloGraph(HOST);
    const fn = graph.finish('move', [graph.input({ shape, dtype })]);
    const text = moduleText(fn, { devices, parameters: [from], results: [to] });
    const program = programs.get(text) ?? client.compile(text, { partitions: devices });
    programs.set(text, program);
    return program;
  }

  return (place: DevicePlace, stored: Stored, split: Split): DevicePlace => {
    const program = programFor(stored, place.split, split);
    const { results, done } = startProgram(client, layout, program, [place.buffers]);
    for (const event of done) client.wait(event);
    return { kind: 'device', buffers: results[0]!, split };
  };
}
