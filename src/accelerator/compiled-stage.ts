/** @module What the compiler says of a stage. */
import type { Occurrences } from '../engine/index.js';
import type { Target } from './targets.js';
import type { TracedProgram } from './trace-stage.js';

/** What the compiler says of one program, on one device. */
export interface CompiledProgram extends Omit<TracedProgram, 'text'> {
  /** At the worst moment, with everything that lies on the device. */
  readonly peakBytes: number;
  readonly argumentBytes: number;
  readonly temporaryBytes: number;
  /** Arguments that results take the place of. */
  readonly aliasedBytes: number;
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

/** A stage's programs, compiled for one target. */
export interface CompiledStage {
  readonly target: Target;
  /** The memory of one device. */
  readonly deviceBytes: number;
  /** How fast one device reads and writes its memory. */
  readonly bytesPerSecond: number;
  /** Of all programs together. */
  readonly compileSeconds: number;
  /** The one that needs most memory first. */
  readonly programs: readonly CompiledProgram[];
}

/** The program that decides whether a stage fits. */
export const largestProgram = ({ programs }: CompiledStage): CompiledProgram => programs[0]!;

/** Whether a stage fits into the device's memory. */
export const fits = (compiled: CompiledStage): boolean => largestProgram(compiled).peakBytes <= compiled.deviceBytes;
