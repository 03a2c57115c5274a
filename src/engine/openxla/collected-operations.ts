/**
 * @module Operations outside traced functions. Compiling each by itself would take longer than running it, so they are collected, and compiled
 * together when a value is needed.
 */
import type { Attribute } from '../attributes.js';
import type { NativeTensor } from '../executor.js';
import type { Client } from '../pjrt/client.js';
import type { XlaOption } from '../pjrt/compile-options.js';
import type { LoadedProgram } from '../pjrt/program.js';
import { moduleText, type StableHloFunction } from '../stablehlo/function.js';
import { createStableHloGraph, type GraphHost, type StableHloGraph } from '../stablehlo/graph.js';
import type { Sharding } from '../stablehlo/sharding.js';
import { byteCountOf } from './byte-count.js';
import { type Layout, shardingOf } from './split.js';
import { startProgram } from './start-program.js';
import type { DeviceTensor, Stored } from './stored.js';
import type { Values } from './values.js';

/** These programs run once or a few times, so they are compiled quickly rather than well. */
const QUICK: Readonly<Record<string, XlaOption>> = {
  xla_backend_optimization_level: 0n,
  xla_llvm_disable_expensive_passes: true,
};

/** Beyond this, a program would take long to compile, or keep too much memory until it runs. */
const MAX_OPERATIONS = 256;
const MAX_PENDING_BYTES = 256 * 2 ** 20;

/** Programs that are kept for the next time that the same operations are collected. */
const MAX_PROGRAMS = 256;

export interface CollectedOperations {
  /** Adds an operation. Its results have values when `flush` is called. */
  execute(name: string, attributes: readonly Attribute[], inputs: readonly NativeTensor[]): DeviceTensor[];
  /** Computes what was collected. */
  flush(): void;
  /** Called when nothing owns a pending value any more. */
  forget(stored: Stored): void;
}

interface Collection {
  readonly graph: StableHloGraph;
  /** Inputs of the program, kept until it runs. */
  readonly inputs: Map<Stored, DeviceTensor>;
  readonly pending: Set<Stored>;
  bytes: number;
}

/** @param read copies a value to the host */
export function createCollectedOperations(
  client: Client,
  layout: Layout,
  values: Values,
  read: (tensor: NativeTensor) => Uint8Array,
): CollectedOperations {
  const programs = new Map<string, LoadedProgram>();
  let current: Collection | null = null;

  // Numbers that shapes depend on are read on the host; all other values are inputs, so that equal operations have equal programs.
  const host: GraphHost = { read, release: () => undefined, isLiteral: () => false };

  function collection(): Collection {
    current ??= { graph: createStableHloGraph(host), inputs: new Map(), pending: new Set(), bytes: 0 };
    return current;
  }

  /** A tensor as the graph knows it: the same for all tensors that share a value. */
  function inGraph({ inputs }: Collection, tensor: NativeTensor): NativeTensor {
    const stored = values.of(tensor as DeviceTensor);
    if (stored.place.kind === 'pending') return stored.place.tensor;
    const known = inputs.get(stored) ?? values.hold(stored);
    inputs.set(stored, known);
    return known;
  }

  function programFor(fn: StableHloFunction, sharding: Sharding | null): LoadedProgram {
    const text = moduleText(fn, sharding);
    const program = programs.get(text) ?? client.compile(text, { xla: QUICK, partitions: layout.devices });
    // The one used last is at the end.
    programs.delete(text);
    programs.set(text, program);
    for (const [oldest, unused] of programs) {
      if (programs.size <= MAX_PROGRAMS) break;
      programs.delete(oldest);
      unused.destroy();
    }
    return program;
  }

  /** Runs a collection. Each pending value gets its buffer. */
  function run({ graph, inputs, pending }: Collection): void {
    const outputs = [...pending];
    try {
      if (outputs.length === 0) return;
      const tensors = outputs.map(({ place }) => (place as { tensor: NativeTensor }).tensor);
      const fn = graph.finish('collected', tensors);
      const given = fn.constants.map((tensor) => values.of(tensor as DeviceTensor));
      const sharding = shardingOf(layout, fn, given.map(values.splitOf));
      const { results, done } = startProgram(client, layout, programFor(fn, sharding), given.map(values.buffers));
      outputs.forEach((stored, i) => {
        const split = sharding?.results[i] ?? null;
        stored.place = { kind: 'device', buffers: results[i]!, split };
      });
      for (const event of done) client.wait(event);
    } finally {
      for (const tensor of inputs.values()) values.letGo(tensor);
    }
  }

  function flush(): void {
    if (current === null) return;
    const finished = current;
    current = null;
    run(finished);
  }

  return {
    flush,
    execute(name, attributes, given) {
      const now = collection();
      const made = now.graph.execute(
        name,
        attributes,
        given.map((tensor) => inGraph(now, tensor)),
        1,
      );
      const tensors = made.map((tensor) => values.tensor({ kind: 'pending', tensor }, tensor.shape, tensor.dtype));
      for (const { stored } of tensors) {
        now.pending.add(stored!);
        now.bytes += byteCountOf(stored!);
      }
      if (now.graph.size() > MAX_OPERATIONS || now.bytes > MAX_PENDING_BYTES) flush();
      return tensors;
    },
    forget(stored) {
      current?.pending.delete(stored);
      // What nothing needs is not computed, and its inputs are let go.
      if (current?.pending.size === 0) flush();
    },
  };
}
