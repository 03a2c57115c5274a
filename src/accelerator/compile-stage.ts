/** @module Compiles the programs of one stage for a GPU that is absent, and says what the compiler says of them. */
import {
  type HloStatistics,
  hloStatistics,
  type MemoryStatistics,
  type Occurrences,
  openCompiler,
} from '../engine/index.js';
import type { CompiledProgram, CompiledStage } from './compiled-stage.js';
import { TARGETS, type Target } from './targets.js';
import { type TracedProgram, type TraceOptions, traceStage } from './trace-stage.js';

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

function describe(
  { otherBytes, changesVariables }: TracedProgram,
  memory: MemoryStatistics,
  statistics: HloStatistics,
): CompiledProgram {
  return {
    peakBytes: memory.peak + otherBytes,
    argumentBytes: memory.arguments,
    temporaryBytes: memory.temporaries,
    aliasedBytes: memory.aliased,
    otherBytes,
    changesVariables,
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
    const programs = traced.map((program) => {
      const executable = compiler.compile(program.text);
      const described = describe(program, executable.memory(), hloStatistics(executable.optimized()));
      executable.destroy();
      return described;
    });
    return {
      target,
      deviceBytes: compiler.target.memoryBytes,
      bytesPerSecond: compiler.target.bytesPerSecond,
      compileSeconds: (performance.now() - begun) / 1000,
      programs: programs.sort((a, b) => b.peakBytes - a.peakBytes),
    };
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
