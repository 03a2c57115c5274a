/**
 * @module Calls of kernels in a program that is divided over devices. XLA's partitioner knows nothing of a kernel and would collect its operands on
 * every device. All kernels treat rows apart from each other, so each device runs them on its own rows.
 */
import { KERNEL_TARGET } from '../triton/kernel-call.js';
import { divisionOf } from './sharding.js';
import { callType } from './types.js';

const CALL = `stablehlo.custom_call @${KERNEL_TARGET}(`;
const TYPE = /tensor<[^>]*>/g;
const ID = /%\w+(?:#\d+)?/g;

/** A type with as many rows, its first axis, as one device has; null if the devices cannot have equally many. */
function localType(type: string, devices: number): string | null {
  const [rows, ...rest] = type.slice('tensor<'.length).split('x');
  const local = Number(rows) / devices;
  return Number.isInteger(local) ? `tensor<${[local, ...rest].join('x')}` : null;
}

const divisions = (types: readonly string[]) =>
  types.map((type) => divisionOf(type.split('x').length - 1, 0)).join(', ');

/** The types of a call: of its operands, and of its results. */
const signatureOf = (types: readonly string[], operands: number) =>
  [types.slice(0, operands), types.slice(operands)] as const;

/** The lines of one call, divided. A line that cannot be divided stays as it is. */
function divide(line: string, devices: number): readonly string[] {
  const [result, rest] = line.trimStart().split(` = ${CALL}`) as [string, string];
  const [given, end] = [rest.indexOf(')'), rest.lastIndexOf('} : (')];
  const operands = rest.slice(0, given).match(ID) ?? [];
  const attributes = rest.slice(rest.indexOf('{', given) + 1, end);
  const types = rest.slice(end).match(TYPE) ?? [];
  const locals = types.map((type) => localType(type, devices));
  if (locals.includes(null)) return [line];
  const [from, to] = signatureOf(types, operands.length);
  const [localFrom, localTo] = signatureOf(locals as string[], operands.length);
  const [id, count] = result.split(':');
  // A name that begins with a digit may have nothing else.
  const local = `%local${id!.slice(1)}`;
  const names = operands.map((_, i) => `${local}_${i}`);
  const returned = count === undefined ? [local] : localTo.map((_, i) => `${local}#${i}`);
  const grid = attributes.replace(/grid_y = (\d+)/, (_, programs: string) => `grid_y = ${Number(programs) / devices}`);
  const parameters = names.map((name, i) => `${name}: ${localFrom[i]}`).join(', ');
  return [
    `    ${result} = sdy.manual_computation(${operands.join(', ')}) in_shardings=[${divisions(from)}] out_shardings=[${divisions(to)}] manual_axes={"devices"} (${parameters}) {`,
    `      ${local}${count === undefined ? '' : `:${count}`} = ${CALL}${names.join(', ')}) {${grid}} : ${callType(localFrom, localTo)}`,
    `      sdy.return ${returned.join(', ')} : ${localTo.join(', ')}`,
    `    } : ${callType(from, to)}`,
  ];
}

/** The lines of a function, in which each device runs the kernels on its own rows. */
export const divideKernels = (lines: readonly string[], devices: number): string[] =>
  lines.flatMap((line) => (line.includes(CALL) ? divide(line, devices) : [line]));
