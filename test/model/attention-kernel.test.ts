import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TransformerConfig } from '../../src/blt/index.js';
import { engineBackend } from '../../src/engine/backend.js';
import { DataType } from '../../src/engine/data-type.js';
import type { NativeTensor, Runtime } from '../../src/engine/executor.js';
import { type Precision, startEngine, tf, withPrecision } from '../../src/engine/index.js';
import {
  type AttentionShape,
  forwardKernel,
  keyGradientKernel,
  queryGradientKernel,
} from '../../src/engine/triton/attention-kernels.js';
import { blockContext, blocks } from '../../src/model/transformer.js';
import { fromFloat32, toFloat32 } from '../../src/safetensors/index.js';
import { paramsOf } from '../support/golden-batch.js';
import { ints, numbers, relativeDifference } from '../support/modes.js';
import { type Memory, runKernel } from '../support/run-kernel.js';

const [rows, length] = [2, 70];
const config = {
  ...{ hiddenSize: 32, layers: 2, heads: 4, kvHeads: 2, intermediateSize: 48 },
  ...{ rmsNormEps: 1e-5, rope: { type: 'default', theta: 1e4 }, maxPositions: 99 },
} as const satisfies Partial<TransformerConfig>;
const NARROW = config.hiddenSize / 2;
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'input_layernorm.weight': [config.hiddenSize],
  'self_attn.q_proj.weight': [config.hiddenSize, config.hiddenSize],
  'self_attn.k_proj.weight': [NARROW, config.hiddenSize],
  'self_attn.v_proj.weight': [NARROW, config.hiddenSize],
  'self_attn.o_proj.weight': [config.hiddenSize, config.hiddenSize],
  'post_attention_layernorm.weight': [config.hiddenSize],
  'mlp.gate_proj.weight': [config.intermediateSize, config.hiddenSize],
  'mlp.up_proj.weight': [config.intermediateSize, config.hiddenSize],
  'mlp.down_proj.weight': [config.hiddenSize, config.intermediateSize],
};
const WEIGHTS = [0, 1].flatMap((layer) =>
  Object.entries(SHAPES).map(([name, shape]) => ({ name: `x.layers.${layer}.${name}`, shape })),
);

beforeAll(async () => {
  await startEngine({ threads: 2 });
});
afterEach(() => vi.restoreAllMocks());

const storedAs = ({ dtype }: Pick<NativeTensor, 'dtype'>) => (dtype === DataType.bfloat16 ? 'BF16' : 'F32');

function memoryOf(runtime: Runtime, tensor: NativeTensor): Memory {
  const bytes = runtime.read(tensor);
  return tensor.dtype === DataType.int32 ? new Int32Array(bytes.buffer) : toFloat32(bytes, storedAs(tensor));
}

/** Lets the runtime run the kernels, on arrays. @returns how often each operation ran */
function emulateTriton(): Map<string, number> {
  const { runtime } = engineBackend();
  const { execute } = runtime;
  const counts = new Map<string, number>();
  const run = (name: string, inputs: readonly NativeTensor[], window: number): NativeTensor[] => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const [q, k] = inputs as [NativeTensor, NativeTensor];
    const [batch, heads, positions, headDim] = q.shape as [number, number, number, number];
    const type = q.dtype === DataType.bfloat16 ? 'bf16' : 'f32';
    const isForward = name === 'TritonAttention';
    const packed = inputs.length > (isForward ? 3 : 6);
    const shape: AttentionShape = {
      ...{ rows: batch, heads, kvHeads: k.shape[1]!, length: positions, headDim, window, type, packed },
    };
    const given = inputs.map((tensor) => memoryOf(runtime, tensor));
    const like = (tensor: NativeTensor) => new Float32Array(tensor.shape.reduce((a, b) => a * b, 1));
    const made = (values: Float32Array, tensor: Pick<NativeTensor, 'shape' | 'dtype'>) =>
      runtime.create(fromFloat32(values, storedAs(tensor)), tensor.shape, tensor.dtype);
    if (isForward) {
      const [out, sums] = [like(q), new Float32Array(batch * heads * positions)];
      runKernel(forwardKernel(shape), [...given, out, sums]);
      return [made(out, q), made(sums, { shape: q.shape.slice(0, -1), dtype: DataType.float32 })];
    }
    const [dQ, dK, dV] = [like(q), like(k), like(k)];
    runKernel(queryGradientKernel(shape), [...given, dQ]);
    runKernel(keyGradientKernel(shape), [...given, dK, dV]);
    return [made(dQ, q), made(dK, k), made(dV, k)];
  };
  vi.spyOn(runtime, 'triton', 'get').mockReturnValue(true);
  vi.spyOn(runtime, 'execute').mockImplementation((name, attributes, inputs, outputs) =>
    name.startsWith('Triton')
      ? run(name, inputs, attributes.find((attribute) => attribute.name === 'window')!.value as number)
      : execute.call(runtime, name, attributes, inputs, outputs),
  );
  return counts;
}

interface Case {
  readonly precision: Precision;
  readonly window: number | null;
  readonly packed: boolean;
  readonly gradientCheckpointing: boolean;
}

/** The states after two layers, and the gradients of a weighted sum of them: of the input, and of each weight. */
function statesAndGradients({ precision, window, packed, gradientCheckpointing }: Case): Float32Array[] {
  return tf.tidy(() => {
    const documents = packed
      ? ints(
          Array.from({ length: rows * length }, (_, i) => Math.floor(i / 25)),
          [rows, length],
        )
      : null;
    const inputs = [{ shape: [rows * length, config.hiddenSize] }, ...WEIGHTS].map(({ shape }, i) =>
      tf.mul(numbers([...shape], i + 1), shape.length === 1 ? 1 : 0.3),
    );
    const run = (...[x, ...weights]: tf.Tensor[]) =>
      withPrecision(precision, () => {
        const context = blockContext({ ...config, window }, { rows, length, documents }, { gradientCheckpointing });
        const params = paramsOf(
          WEIGHTS.map(({ name }) => name),
          weights,
        );
        return blocks(x!, params, 'x', context);
      });
    const loss = (...given: tf.Tensor[]) => {
      const out = run(...given);
      return tf.sum(tf.mul(out, numbers(out.shape, 99))) as tf.Scalar;
    };
    return [run(...inputs), ...tf.grads(loss)(inputs)].map((tensor) => tensor.dataSync() as Float32Array);
  });
}

describe('a transformer computes the same with the kernels as with blocks of queries', () => {
  it.each<Case>([
    { precision: 'float32', window: null, packed: false, gradientCheckpointing: false },
    { precision: 'float32', window: 20, packed: true, gradientCheckpointing: true },
    { precision: 'bfloat16', window: 20, packed: true, gradientCheckpointing: false },
    { precision: 'bfloat16', window: null, packed: false, gradientCheckpointing: true },
  ])('$precision, window $window, packed $packed, checkpointed $gradientCheckpointing', (given) => {
    const wanted = statesAndGradients(given);
    const counts = emulateTriton();
    const found = statesAndGradients(given);
    // Each layer once for the states and once for the gradients, and once more where the backward pass computes it again.
    expect(counts.get('TritonAttention')).toBe(given.gradientCheckpointing ? 6 : 4);
    expect(counts.get('TritonAttentionGradient')).toBe(2);
    const tolerance = given.precision === 'float32' ? 1e-5 : 0.03;
    found.forEach((values, i) => {
      expect(relativeDifference(values, wanted[i]!), `result ${i}`).toBeLessThan(tolerance);
    });
  });
});
