/**
 * @module What a compiled program consists of: the part of HloModuleProto (xla/service/hlo.proto) and ShapeProto (xla/xla_data.proto) that
 * statistics need, decoded by hand: a handful of fields does not justify a protobuf library.
 */

/** Field numbers. */
const MODULE = { computations: 3, entry: 6 } as const;
const COMPUTATION = { instructions: 2, id: 5, root: 6 } as const;
const INSTRUCTION = { opcode: 2, shape: 3, customCallTarget: 28, id: 35, operands: 36, called: 38 } as const;
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

export interface HloInstruction {
  readonly id: number;
  /** Such as `fusion` or `all-reduce`. */
  readonly opcode: string;
  /** Of its result, on one device. */
  readonly bytes: number;
  /** Ids of instructions of the same computation. */
  readonly operands: readonly number[];
  /** Ids of computations. */
  readonly called: readonly number[];
  /** Of a `custom-call`, such as a kernel of cuDNN. */
  readonly target: string;
}

export interface HloComputation {
  readonly root: number;
  readonly instructions: ReadonlyMap<number, HloInstruction>;
}

export interface HloModule {
  readonly entry: HloComputation;
  readonly computations: ReadonlyMap<number, HloComputation>;
}

const decoder = new TextDecoder();

function instructionOf(bytes: Uint8Array): HloInstruction {
  const fields = [...fieldsOf(bytes)];
  const valuesOf = (wanted: number) => fields.flatMap(({ field, value }) => (field === wanted ? [value] : []));
  const textOf = (wanted: number) => decoder.decode((valuesOf(wanted)[0] ?? new Uint8Array()) as Uint8Array);
  const listOf = (wanted: number) => valuesOf(wanted).flatMap((value) => [...integers(value)]);
  return {
    id: (valuesOf(INSTRUCTION.id)[0] ?? 0) as number,
    opcode: textOf(INSTRUCTION.opcode),
    bytes: shapeBytes((valuesOf(INSTRUCTION.shape)[0] ?? new Uint8Array()) as Uint8Array),
    operands: listOf(INSTRUCTION.operands),
    called: listOf(INSTRUCTION.called),
    target: textOf(INSTRUCTION.customCallTarget),
  };
}

function computationOf(bytes: Uint8Array): HloComputation & { readonly id: number } {
  let [id, root] = [0, 0];
  const instructions = new Map<number, HloInstruction>();
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === COMPUTATION.id) id = value as number;
    else if (field === COMPUTATION.root) root = value as number;
    else if (field === COMPUTATION.instructions) {
      const instruction = instructionOf(value as Uint8Array);
      instructions.set(instruction.id, instruction);
    }
  }
  return { id, root, instructions };
}

/** @param program HloModuleProtoWithConfig @throws Error when it has no entry */
export function decodeHloModule(program: Uint8Array): HloModule {
  const computations = new Map<number, HloComputation>();
  let entry = 0;
  for (const module of messages(program, WITH_CONFIG.module)) {
    for (const { field, value } of fieldsOf(module)) {
      if (field === MODULE.entry) entry = value as number;
      if (field !== MODULE.computations) continue;
      const { id, ...computation } = computationOf(value as Uint8Array);
      computations.set(id, computation);
    }
  }
  const found = computations.get(entry);
  if (found === undefined) throw new Error('the program is no HloModuleProtoWithConfig');
  return { entry: found, computations };
}
