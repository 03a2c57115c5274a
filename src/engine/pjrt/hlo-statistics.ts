/** @module Statistics of a compiled program: how often each instruction occurs, and the bytes that it moves through the device's memory. */
import { decodeHloModule, type HloComputation, type HloInstruction, type HloModule } from './hlo-module.js';

/** How often something occurs in a program, and the bytes of its results on one device. */
export interface Occurrences {
  readonly count: number;
  readonly bytes: number;
}

export interface HloStatistics {
  readonly instructions: number;
  /** By opcode, such as `fusion` or `all-reduce`. */
  readonly opcodes: ReadonlyMap<string, Occurrences>;
  /** By target of a custom call, such as a kernel of cuDNN. */
  readonly targets: ReadonlyMap<string, Occurrences>;
  /** Kernels that one run starts, the body of a loop once. */
  readonly kernels: number;
  /** Bytes that these kernels read and write, if each reads its operands and writes its result once. */
  readonly trafficBytes: number;
}

/** What moves nothing itself: names of values, and instructions whose parts are counted. */
const FREE = new Set([
  ...['parameter', 'constant', 'tuple', 'get-tuple-element', 'bitcast', 'after-all', 'opt-barrier', 'partition-id'],
  ...['while', 'call', 'conditional', 'async-start', 'async-update', 'async-done', 'replica-id', 'iota'],
]);
const isFree = ({ opcode }: HloInstruction): boolean => FREE.has(opcode) || opcode.endsWith('-done');

/** Instructions that read only some of their first operand. */
const READS_PART = new Set(['gather', 'dynamic-slice', 'slice']);
/** Instructions that write only some of their first operand, in place: the index of what they write. */
const WRITES_PART: Readonly<Record<string, number>> = { scatter: 2, 'dynamic-update-slice': 1 };

/** Instructions whose result is their first operand, or some of it. */
const PASSES_ON = new Set(['bitcast', 'gather', 'dynamic-slice', 'slice']);

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

const operandsOf = (instruction: HloInstruction, { instructions }: HloComputation): HloInstruction[] =>
  instruction.operands.flatMap((id) => instructions.get(id) ?? []);

/** Bytes that one instruction, which is no fusion, reads of each of its operands. */
function readBytes(instruction: HloInstruction, computation: HloComputation): number[] {
  const { opcode, bytes } = instruction;
  const written = WRITES_PART[opcode];
  const operands = operandsOf(instruction, computation);
  return operands.map((operand, i) => {
    if (i > 0) return operand.bytes;
    if (READS_PART.has(opcode)) return Math.min(bytes, operand.bytes);
    return written === undefined ? operand.bytes : (operands[written]?.bytes ?? 0);
  });
}

/** Bytes that an instruction, which is no fusion, writes. */
const writtenBytes = (instruction: HloInstruction, computation: HloComputation): number => {
  const written = WRITES_PART[instruction.opcode];
  return written === undefined ? instruction.bytes : (operandsOf(instruction, computation)[written]?.bytes ?? 0);
};

/**
 * Bytes that a fused kernel reads and writes. It computes only what is used: of a parameter it reads what its users read, and of what a user
 * makes of it, through rows that it picks, only what is used in turn.
 */
function fusionBytes(fusion: HloInstruction, fused: HloComputation): number {
  const usersOf = new Map<number, HloInstruction[]>();
  for (const user of fused.instructions.values())
    for (const id of new Set(user.operands)) usersOf.set(id, [...(usersOf.get(id) ?? []), user]);
  /** Bytes that are used of a value. */
  const used = ({ id, bytes }: HloInstruction): number => {
    const users = usersOf.get(id) ?? [];
    const needed = users.reduce((sum, user) => {
      const parts = readBytes(user, fused);
      const whole = sumOf(parts.filter((_, i) => user.operands[i] === id));
      const passesOn = PASSES_ON.has(user.opcode) && user.operands[0] === id;
      return sum + (passesOn ? Math.min(whole, used(user)) : whole);
    }, 0);
    // The result is used whole.
    return users.length === 0 ? bytes : Math.min(bytes, needed);
  };
  const read = new Map<number, number>();
  for (const instruction of fused.instructions.values())
    if (instruction.opcode === 'parameter') read.set(instruction.id, used(instruction));
  const root = fused.instructions.get(fused.root);
  const results = root?.opcode === 'tuple' ? operandsOf(root, fused) : root === undefined ? [fusion] : [root];
  const written = results.reduce((sum, result) => sum + writtenBytes(result, fused), 0);
  return [...read.values()].reduce((sum, bytes) => sum + bytes, written);
}

/** The kernels of a computation, and of those that it calls, other than fusions. */
function movedBy(computation: HloComputation, module: HloModule): { kernels: number; trafficBytes: number } {
  let [kernels, trafficBytes] = [0, 0];
  for (const instruction of computation.instructions.values()) {
    const called = instruction.called.flatMap((id) => module.computations.get(id) ?? []);
    if (isFree(instruction)) {
      for (const inner of called) {
        const moved = movedBy(inner, module);
        kernels += moved.kernels;
        trafficBytes += moved.trafficBytes;
      }
      continue;
    }
    kernels++;
    trafficBytes +=
      instruction.opcode === 'fusion' && called[0] !== undefined
        ? fusionBytes(instruction, called[0])
        : sumOf(readBytes(instruction, computation)) + writtenBytes(instruction, computation);
  }
  return { kernels, trafficBytes };
}

function add(to: Map<string, Occurrences>, name: string, bytes: number): void {
  const { count, bytes: before } = to.get(name) ?? { count: 0, bytes: 0 };
  to.set(name, { count: count + 1, bytes: before + bytes });
}

/** @param program HloModuleProtoWithConfig */
export function hloStatistics(program: Uint8Array): HloStatistics {
  const module = decodeHloModule(program);
  const opcodes = new Map<string, Occurrences>();
  const targets = new Map<string, Occurrences>();
  let instructions = 0;
  for (const computation of module.computations.values()) {
    for (const { opcode, target, bytes } of computation.instructions.values()) {
      instructions++;
      add(opcodes, opcode, bytes);
      if (target !== '') add(targets, target, bytes);
    }
  }
  return { instructions, opcodes, targets, ...movedBy(module.entry, module) };
}
