/** @module Calls of kernels in StableHLO. XLA compiles them for NVIDIA's GPUs, with the program that calls them. */
import { type Body, typeOf, type Value } from '../stablehlo/body.js';
import { callType } from '../stablehlo/types.js';
import { kernelText } from './kernel-text.js';
import type { Kernel } from './tiles.js';

/** The target by which XLA's compiler for GPUs recognises a kernel in Triton. */
export const KERNEL_TARGET = '__gpu$xla.gpu.triton';

/** A string of MLIR. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\22').replaceAll('\n', '\\0A')}"`;

/** Arrays are row-major: their last axis varies fastest. */
function rowMajor(values: readonly Pick<Value, 'shape'>[]): string {
  const orders = values.map(({ shape }) => {
    const axes = shape.map((_, i) => shape.length - 1 - i);
    return `dense<[${axes.join(', ')}]> : tensor<${axes.length}xindex>`;
  });
  return `[${orders.join(', ')}]`;
}

/** Adds a call. The kernel's parameters are the operands, followed by the results. */
export function callKernel(
  body: Pick<Body, 'emitAll'>,
  kernel: Kernel,
  operands: readonly Value[],
  results: readonly Pick<Value, 'shape' | 'dtype'>[],
): Value[] {
  const [x, y] = kernel.grid;
  const config = [
    `name = "${kernel.name}"`,
    `ir = ${quoted(kernelText(kernel))}`,
    `num_warps = ${kernel.warps} : i32, num_stages = ${kernel.stages} : i32`,
    `grid_x = ${x} : i32, grid_y = ${y} : i32, grid_z = 1 : i32`,
  ];
  const attributes = [
    'api_version = 4 : i32',
    `backend_config = {${config.join(', ')}}`,
    `operand_layouts = ${rowMajor(operands)}`,
    `result_layouts = ${rowMajor(results)}`,
  ];
  const types = callType(operands.map(typeOf), results.map(typeOf));
  const given = operands.map(({ id }) => id).join(', ');
  return body.emitAll(
    `stablehlo.custom_call @${KERNEL_TARGET}(${given}) {${attributes.join(', ')}} : ${types}`,
    results,
  );
}
