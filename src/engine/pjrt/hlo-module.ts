/**
 * @module What a compiled program consists of: the part of HloModuleProto (xla/service/hlo.proto) and ShapeProto (xla/xla_data.proto) that
 * statistics need, decoded by hand: a handful of fields does not justify a protobuf library.
 */

/** Field numbers. */
const MODULE = { computations: 3 } as const;
const COMPUTATION = { instructions: 2 } as const;
const INSTRUCTION = { opcode: 2, shape: 3, customCallTarget: 28 } as const;
const SHAPE = { type: 2, dimensions: 3, parts: 4 } as const;
/** HloModuleProtoWithConfig, the format `hlo_with_config`. */
const WITH_CONFIG = { module: 1 } as const;

/** PrimitiveType by number: bytes per element. Types that are not listed take none. */
const ELEMENT_BYTES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 4, 12: 8, 15: 8, 16: 2 },
};

interface WireField {
  readonly field: number;
  /** A varint, or the content of a message, string or packed list. */
  readonly value: number | Uint8Array;
}

function varintAt(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  let [value, scale, end] = [0, 1, at];
  for (;;) {
    const byte = bytes[end++]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) return { value, end };
  }
}

/** The fields of a message in their order. */
function* fieldsOf(bytes: Uint8Array): Generator<WireField> {
  const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
  let at = 0;
  while (at < bytes.length) {
    const key = varintAt(bytes, at);
    const [field, wire] = [Math.floor(key.value / 8), key.value % 8];
    const next = wire === 0 || wire === 2 ? varintAt(bytes, key.end) : { value: FIXED[wire]!, end: key.end };
    at = next.end;
    if (wire === 0) {
      yield { field, value: next.value };
    } else {
      yield { field, value: bytes.subarray(at, at + next.value) };
      at += next.value;
    }
  }
}

const messages = (bytes: Uint8Array, wanted: number): Uint8Array[] =>
  [...fieldsOf(bytes)].flatMap(({ field, value }) => (field === wanted && typeof value !== 'number' ? [value] : []));

/** A list of integers, packed or not. */
function* integers(value: number | Uint8Array): Generator<number> {
  if (typeof value === 'number') yield value;
  else
    for (let next = { value: 0, end: 0 }; next.end < value.length; yield next.value) next = varintAt(value, next.end);
}

function shapeBytes(bytes: Uint8Array): number {
  let [type, elements, parts] = [0, 1, 0];
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === SHAPE.type) type = value as number;
    else if (field === SHAPE.dimensions) for (const extent of integers(value)) elements *= extent;
    else if (field === SHAPE.parts) parts += shapeBytes(value as Uint8Array);
  }
  return elements * (ELEMENT_BYTES[type] ?? 0) + parts;
}

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
}

function add(to: Map<string, Occurrences>, name: string, bytes: number): void {
  const { count, bytes: before } = to.get(name) ?? { count: 0, bytes: 0 };
  to.set(name, { count: count + 1, bytes: before + bytes });
}

/** @param program HloModuleProtoWithConfig */
export function hloStatistics(program: Uint8Array): HloStatistics {
  const opcodes = new Map<string, Occurrences>();
  const targets = new Map<string, Occurrences>();
  let instructions = 0;
  const decoder = new TextDecoder();
  for (const module of messages(program, WITH_CONFIG.module)) {
    for (const computation of messages(module, MODULE.computations)) {
      for (const instruction of messages(computation, COMPUTATION.instructions)) {
        const texts = (field: number) => messages(instruction, field).map((bytes) => decoder.decode(bytes));
        const bytes = messages(instruction, INSTRUCTION.shape).reduce((sum, shape) => sum + shapeBytes(shape), 0);
        instructions++;
        for (const opcode of texts(INSTRUCTION.opcode)) add(opcodes, opcode, bytes);
        for (const target of texts(INSTRUCTION.customCallTarget)) add(targets, target, bytes);
      }
    }
  }
  return { instructions, opcodes, targets };
}
