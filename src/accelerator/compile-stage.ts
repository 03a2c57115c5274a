/** @module Compiles the programs of one stage for a GPU that is absent, and says what the compiler says of them. */
import {
  type HloStatistics,
  hloStatistics,
  type MemoryStatistics,
  type Occurrences,
  openCompiler,
} from '../engine/index.js';
import { TARGETS, type Target } from './targets.js';
import { type TracedProgram, type TraceOptions, traceStage } from './trace-stage.js';

/** The stage's program that needs most memory, on one device. */
export interface CompiledStage {
  readonly target: Target;
  /** How many programs the stage has. */
  readonly programs: number;
  /** Of all programs together. */
  readonly compileSeconds: number;
  /** At the worst moment, with everything that lies on the device. */
  readonly peakBytes: number;
  readonly argumentBytes: number;
  readonly temporaryBytes: number;
  /** Arguments that results take the place of. */
  readonly aliasedBytes: number;
  /** What lies on the device beside the program's arguments. */
  readonly otherBytes: number;
  readonly deviceBytes: number;
  /** Kernels that one run starts. */
  readonly kernels: number;
  /** Of these, fused ones that the compiler wrote. */
  readonly fusions: number;
  /** Bytes that the kernels read and write, if each reads its operands and writes its result once. */
  readonly trafficBytes: number;
  /** Calls of kernels of libraries, by their names. */
  readonly libraryCalls: Readonly<Record<string, number>>;
  /** Transfers between devices, by their opcodes. */
  readonly collectives: Readonly<Record<string, Occurrences>>;
}

const COLLECTIVES = ['all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all', 'collective-permute'];

/** The asynchronous forms have two instructions, the first of which is counted. */
function collectivesOf({ opcodes }: HloStatistics): Readonly<Record<string, Occurrences>> {
  const found: Record<string, Occurrences> = {};
  for (const name of COLLECTIVES) {
    const forms = [name, `${name}-start`].flatMap((opcode) => opcodes.get(opcode) ?? []);
    const sum = (key: keyof Occurrences) => forms.reduce((total, form) => total + form[key], 0);
    if (forms.length > 0) found[name] = { count: sum('count'), bytes: sum('bytes') };
  }
  return found;
}

interface Measured {
  readonly memory: MemoryStatistics;
  readonly statistics: HloStatistics;
  readonly peakBytes: number;
  readonly otherBytes: number;
}

function summarise(target: Target, programs: readonly Measured[], compileSeconds: number, deviceBytes: number) {
  const { memory, statistics, peakBytes, otherBytes } = programs.reduce((most, program) =>
    program.peakBytes > most.peakBytes ? program : most,
  );
  return {
    ...{ target, programs: programs.length, compileSeconds, peakBytes, otherBytes, deviceBytes },
    argumentBytes: memory.arguments,
    temporaryBytes: memory.temporaries,
    aliasedBytes: memory.aliased,
    ...{ kernels: statistics.kernels, trafficBytes: statistics.trafficBytes },
    fusions: statistics.opcodes.get('fusion')?.count ?? 0,
    libraryCalls: Object.fromEntries([...statistics.targets].map(([name, { count }]) => [name, count])),
    collectives: collectivesOf(statistics),
  };
}

/** @param plugin the file of the CUDA plugin */
function compileFor(target: Target, traced: readonly TracedProgram[], plugin: string, devices: number): CompiledStage {
  const compiler = openCompiler(plugin, TARGETS[target], devices);
  try {
    const begun = performance.now();
    const programs = traced.map(({ text, otherBytes }): Measured => {
      const executable = compiler.compile(text);
      const memory = executable.memory();
      const statistics = hloStatistics(executable.optimized());
      executable.destroy();
      return { memory, statistics, otherBytes, peakBytes: memory.peak + otherBytes };
    });
    return summarise(target, programs, (performance.now() - begun) / 1000, compiler.target.memoryBytes);
  } finally {
    compiler.close();
  }
}

/**
 * Traces a stage, and compiles it for each target. A process can do this once.
 * @param plugin the file of the CUDA plugin
 * @throws ByteifyError when the stage cannot run, or a program does not compile
 */
export async function compileStage(
  options: TraceOptions & { readonly plugin: string; readonly targets: readonly Target[] },
): Promise<readonly CompiledStage[]> {
  const programs = await traceStage(options);
  return options.targets.map((target) => compileFor(target, programs, options.plugin, options.layout.devices));
}
