/**
 * @module The kernel table: implements each tfjs-core kernel with TensorFlow operations.
 * Reductions, shapes and indices follow tfjs-core's conventions (its ops normalise axes); outputs are row-major.
 */
import { type DataType, type NamedTensorInfoMap, registerKernel, type TensorInfo, util } from '@tensorflow/tfjs-core';
import { attribute } from './attributes.js';
import type { EngineBackend } from './backend.js';
import type { KernelAttributes } from './kernel-attributes.js';

type Kernel = (
  backend: EngineBackend,
  inputs: Record<string, TensorInfo>,
  attrs: KernelAttributes,
) => TensorInfo | TensorInfo[];

const { type, int, bool } = attribute;

/** One input `x`, one output of the same type. */
const unary =
  (op: string): Kernel =>
  (backend, { x }) =>
    backend.executeSingleOutput(op, [type('T', x!.dtype)], [x!]);

/** Two inputs of one type, broadcast by TensorFlow. */
const binary =
  (op: string): Kernel =>
  (backend, { a, b }) =>
    backend.executeSingleOutput(op, [type('T', a!.dtype)], [a!, b!]);

/** Two boolean inputs. */
const logical =
  (op: string): Kernel =>
  (backend, { a, b }) =>
    backend.executeSingleOutput(op, [], [a!, b!]);

/** Reduces `axis` of `x`, or all axes when it is null. */
const reduction =
  (op: string, typed = true): Kernel =>
  (backend, { x }, { axis, reductionIndices, keepDims }) => {
    const asked = axis ?? reductionIndices;
    const axes =
      asked === null || asked === undefined ? x!.shape.map((_, i) => i) : util.parseAxisParam(asked, x!.shape);
    const types = typed ? [type('T', x!.dtype)] : [];
    return backend.withConstants(
      op,
      [...types, type('Tidx', 'int32'), bool('keep_dims', keepDims ?? false)],
      [x!],
      [axes],
    );
  };

const argument =
  (op: string): Kernel =>
  (backend, { x }, { axis }) =>
    backend.withConstants(
      op,
      [type('T', x!.dtype), type('Tidx', 'int32'), type('output_type', 'int32')],
      [x!],
      [util.parseAxisParam(axis, x!.shape)[0]!],
    );

function cast(backend: EngineBackend, x: TensorInfo, dtype: DataType): TensorInfo {
  return backend.executeSingleOutput(
    'Cast',
    [type('SrcT', x.dtype), type('DstT', dtype), bool('Truncate', false)],
    [x],
  );
}

function identity(backend: EngineBackend, x: TensorInfo): TensorInfo {
  backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}

function reshape(backend: EngineBackend, x: TensorInfo, shape: readonly number[]): TensorInfo {
  return backend.withConstants('Reshape', [type('T', x.dtype), type('Tshape', 'int32')], [x], [shape]);
}

/** A size of `-1` in a slice means up to the end. */
function sliceSizes(x: TensorInfo, begin: readonly number[], size: readonly number[]): number[] {
  return size.map((length, i) => (length === -1 ? x.shape[i]! - begin[i]! : length));
}

const KERNELS: Record<string, Kernel> = {
  // element-wise, one input
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Expm1: unary('Expm1'),
  Floor: unary('Floor'),
  IsFinite: unary('IsFinite'),
  IsNan: unary('IsNan'),
  Log: unary('Log'),
  Log1p: unary('Log1p'),
  Neg: unary('Neg'),
  OnesLike: unary('OnesLike'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Round: unary('Round'),
  Rsqrt: unary('Rsqrt'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Square: unary('Square'),
  Tanh: unary('Tanh'),
  ZerosLike: unary('ZerosLike'),
  LogicalNot: (backend, { x }) => backend.executeSingleOutput('LogicalNot', [], [x!]),
  Cast: (backend, { x }, { dtype }) => cast(backend, x!, dtype),
  Identity: (backend, { x }) => identity(backend, x!),

  // element-wise, two inputs
  Add: binary('AddV2'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('RealDiv'),
  FloorDiv: binary('FloorDiv'),
  Mod: binary('FloorMod'),
  Pow: binary('Pow'),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  SquaredDifference: binary('SquaredDifference'),
  Equal: binary('Equal'),
  NotEqual: binary('NotEqual'),
  Greater: binary('Greater'),
  GreaterEqual: binary('GreaterEqual'),
  Less: binary('Less'),
  LessEqual: binary('LessEqual'),
  LogicalAnd: logical('LogicalAnd'),
  LogicalOr: logical('LogicalOr'),
  Select: (backend, { condition, t, e }) =>
    backend.executeSingleOutput('SelectV2', [type('T', t!.dtype)], [condition!, t!, e!]),
  AddN: (backend, inputs) => {
    const list = Object.values(inputs);
    return backend.executeSingleOutput('AddN', [int('N', list.length), type('T', list[0]!.dtype)], list);
  },

  // reductions
  Sum: reduction('Sum'),
  Mean: reduction('Mean'),
  Max: reduction('Max'),
  Min: reduction('Min'),
  Prod: reduction('Prod'),
  All: reduction('All', false),
  Any: reduction('Any', false),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Cumsum: (backend, { x }, { axis, exclusive, reverse }) =>
    backend.withConstants(
      'Cumsum',
      [bool('exclusive', exclusive), bool('reverse', reverse), type('T', x!.dtype), type('Tidx', 'int32')],
      [x!],
      [axis],
    ),

  // products and distributions
  BatchMatMul: (backend, { a, b }, { transposeA, transposeB }) => {
    const flat = a!.shape.length === 2 && b!.shape.length === 2;
    return backend.executeSingleOutput(
      flat ? 'MatMul' : 'BatchMatMulV2',
      [
        type('T', a!.dtype),
        bool(flat ? 'transpose_a' : 'adj_x', transposeA),
        bool(flat ? 'transpose_b' : 'adj_y', transposeB),
      ],
      [a!, b!],
    );
  },
  Softmax: (backend, { logits }) => backend.executeSingleOutput('Softmax', [type('T', logits!.dtype)], [logits!]),
  LogSoftmax: (backend, { logits }) => backend.executeSingleOutput('LogSoftmax', [type('T', logits!.dtype)], [logits!]),
  TopK: (backend, { x }, { k, sorted }) => {
    const count: TensorInfo = { dataId: backend.write(Int32Array.of(k), [], 'int32'), shape: [], dtype: 'int32' };
    const types = [bool('sorted', sorted), type('T', x!.dtype), type('Tk', 'int32'), type('index_type', 'int32')];
    const out = backend.executeMultipleOutputs('TopKV2', types, [x!, count], 2);
    backend.disposeData(count.dataId);
    return out;
  },

  // shapes
  Reshape: (backend, { x }, { shape }) =>
    reshape(backend, x!, util.inferFromImplicitShape(shape, util.sizeFromShape(x!.shape))),
  ExpandDims: (backend, { input }, { dim }) =>
    backend.withConstants('ExpandDims', [type('T', input!.dtype), type('Tdim', 'int32')], [input!], [dim]),
  Transpose: (backend, { x }, { perm }) =>
    backend.withConstants('Transpose', [type('T', x!.dtype), type('Tperm', 'int32')], [x!], [perm]),
  BroadcastTo: (backend, { x }, { shape }) =>
    backend.withConstants('BroadcastTo', [type('T', x!.dtype), type('Tidx', 'int32')], [x!], [shape]),
  Tile: (backend, { x }, { reps }) =>
    backend.withConstants('Tile', [type('T', x!.dtype), type('Tmultiples', 'int32')], [x!], [reps]),
  Reverse: (backend, { x }, { dims }) =>
    backend.withConstants(
      'ReverseV2',
      [type('T', x!.dtype), type('Tidx', 'int32')],
      [x!],
      [util.parseAxisParam(dims, x!.shape)],
    ),
  Concat: (backend, inputs, { axis }) => {
    const list = Object.values(inputs);
    const at = util.parseAxisParam(axis, list[0]!.shape)[0]!;
    const types = [int('N', list.length), type('T', list[0]!.dtype), type('Tidx', 'int32')];
    return backend.withConstants('ConcatV2', types, list, [at]);
  },
  Pack: (backend, inputs, { axis }) => {
    const list = Object.values(inputs);
    return backend.executeSingleOutput(
      'Pack',
      [int('N', list.length), type('T', list[0]!.dtype), int('axis', axis)],
      list,
    );
  },
  Unpack: (backend, { value }, { axis }) => {
    const count = value!.shape[axis]!;
    return backend.executeMultipleOutputs(
      'Unpack',
      [int('num', count), type('T', value!.dtype), int('axis', axis)],
      [value!],
      count,
    );
  },
  Slice: (backend, { x }, { begin, size }) =>
    backend.withConstants(
      'Slice',
      [type('T', x!.dtype), type('Index', 'int32')],
      [x!],
      [begin, sliceSizes(x!, begin, size)],
    ),
  SplitV: (backend, { x }, { numOrSizeSplits, axis }) => {
    const at = util.parseAxisParam(axis, x!.shape)[0]!;
    const sizes: number[] = Array.isArray(numOrSizeSplits)
      ? numOrSizeSplits
      : new Array(numOrSizeSplits).fill(x!.shape[at]! / numOrSizeSplits);
    const begin = x!.shape.map(() => 0);
    return sizes.map((length) => {
      const size = x!.shape.map((extent, i) => (i === at ? length : extent));
      const part = backend.withConstants(
        'Slice',
        [type('T', x!.dtype), type('Index', 'int32')],
        [x!],
        [[...begin], size],
      );
      begin[at]! += length;
      return part;
    });
  },
  PadV2: (backend, { x }, { paddings, constantValue }) => {
    const flat = paddings.flat();
    const pads = backend.write(Int32Array.from(flat), [flat.length / 2, 2], 'int32');
    const fill = backend.write(Float32Array.of(constantValue), [], 'float32');
    const padsInfo: TensorInfo = { dataId: pads, shape: [flat.length / 2, 2], dtype: 'int32' };
    const fillInfo = cast(backend, { dataId: fill, shape: [], dtype: 'float32' }, x!.dtype);
    const types = [type('T', x!.dtype), type('Tpaddings', 'int32')];
    const out = backend.executeSingleOutput('PadV2', types, [x!, padsInfo, fillInfo]);
    for (const id of [pads, fill, fillInfo.dataId]) backend.disposeData(id);
    return out;
  },

  // creation
  Fill: (backend, _inputs, { shape, value, dtype }) => {
    const kind: DataType = dtype ?? util.inferDtype(value);
    const scalar =
      kind === 'float32' ? Float32Array.of(value) : kind === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
    const dimsInfo: TensorInfo = {
      dataId: backend.write(Int32Array.from(shape), [shape.length], 'int32'),
      shape: [shape.length],
      dtype: 'int32',
    };
    const valueInfo: TensorInfo = { dataId: backend.write(scalar, [], kind), shape: [], dtype: kind };
    const out = backend.executeSingleOutput(
      'Fill',
      [type('T', kind), type('index_type', 'int32')],
      [dimsInfo, valueInfo],
    );
    backend.disposeData(dimsInfo.dataId);
    backend.disposeData(valueInfo.dataId);
    return out;
  },
  Range: (backend, _inputs, { start, stop, step, dtype }) => {
    const values = util.makeZerosTypedArray(
      Math.max(0, Math.ceil((stop - start) / step)),
      dtype as 'float32' | 'int32',
    );
    for (let i = 0; i < values.length; i++) values[i] = start + i * step;
    return { dataId: backend.write(values, [values.length], dtype), shape: [values.length], dtype };
  },
  OneHot: (backend, { indices }, { dtype, depth, onValue, offValue }) => {
    const scalar = (value: number): TensorInfo => ({
      dataId: backend.write(Float32Array.of(value), [], 'float32'),
      shape: [],
      dtype: 'float32',
    });
    const [size, on, off] = [backend.write(Int32Array.of(depth), [], 'int32'), scalar(onValue), scalar(offValue)];
    const types = [int('axis', -1), type('T', 'float32'), type('TI', 'int32')];
    const out = backend.executeSingleOutput('OneHot', types, [
      indices!,
      { dataId: size, shape: [], dtype: 'int32' },
      on,
      off,
    ]);
    const typed = dtype === 'float32' ? out : cast(backend, out, dtype);
    if (typed !== out) backend.disposeData(out.dataId);
    for (const id of [size, on.dataId, off.dataId]) backend.disposeData(id);
    return typed;
  },

  // rows by index
  GatherV2: (backend, { x, indices }, { axis, batchDims }) =>
    backend.withConstants(
      'GatherV2',
      [int('batch_dims', batchDims ?? 0), type('Tparams', x!.dtype), type('Tindices', 'int32'), type('Taxis', 'int32')],
      [x!, indices!],
      [axis],
    ),
  UnsortedSegmentSum: (backend, { x, segmentIds }, { numSegments }) =>
    backend.withConstants(
      'UnsortedSegmentSum',
      [type('T', x!.dtype), type('Tindices', 'int32'), type('Tnumsegments', 'int32')],
      [x!, segmentIds!],
      [numSegments],
    ),
};

/** Registers every kernel of the table for a backend's name. */
export function registerKernels(backendName: string): void {
  for (const [kernelName, kernel] of Object.entries(KERNELS)) {
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) =>
        kernel(
          backend as EngineBackend,
          inputs as NamedTensorInfoMap as Record<string, TensorInfo>,
          attrs as unknown as KernelAttributes,
        ),
    });
  }
}

/** The names in the table, for tests that run each kernel. */
export const KERNEL_NAMES: readonly string[] = Object.keys(KERNELS);
