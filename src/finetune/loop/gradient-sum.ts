/**
 * @module Adds up what the processes of a group computed for a step. Gradients travel in buckets: one tensor of its own for each parameter would cost a
 * round of messages each, one for all would need a second copy of them at once.
 */
import { sumOverProcesses, tf, type Variable } from '../../engine/index.js';
import { type ProcessGroup, rejectionOf } from '../../group/index.js';
import { elementCount } from '../../safetensors/index.js';

export interface OwnGradients {
  /** The losses of this process's rows [1 + parts]. */
  readonly losses: tf.Tensor;
  /** The gradients of the dense parameters. */
  readonly sums: readonly Variable[];
  /** The gradient of the table's rows [U, H]; empty if no table is trained. */
  readonly rowGradients: readonly tf.Tensor[];
  /** How many of these rows are not padding: the gradients of the others are zero on every process. */
  readonly rowCount: number;
}

export interface AllGradients {
  readonly losses: tf.Tensor;
  /** The gradients of the dense parameters, for `unpack`. */
  readonly buckets: readonly tf.Tensor[];
  readonly rowGradients: readonly tf.Tensor[];
}

export interface GradientSum {
  /** @returns sums over the processes, which the caller disposes. @throws the error of `group.lost` when a process is lost */
  add(own: OwnGradients): Promise<AllGradients>;
  /** The gradients of the dense parameters, in their order and shapes. It can be traced. */
  unpack(buckets: readonly tf.Tensor[]): tf.Tensor[];
  /** How long this process took for its own gradients in the last step, without waiting for others, given when the step began. In milliseconds. */
  ownMs(startedAt: number): number;
}

/** PyTorch's DDP has 25 MiB; rings over gRPC have more to do for each message. */
const BUCKET_VALUES = 2 ** 24;

/** Rows that are sent are rounded up to this, so that few shapes occur. */
const ROWS = 4096;

/** How long TensorFlow's own error waits for the group to say which process is lost. */
const LOST_MS = 5000;

interface Bucket {
  readonly from: number;
  readonly to: number;
}

/** Consecutive parameters of at most `BUCKET_VALUES` together; one that is larger has a bucket of its own. */
export function bucketsOf(sizes: readonly number[], limit = BUCKET_VALUES): Bucket[] {
  const buckets: Bucket[] = [];
  let [from, values] = [0, 0];
  for (const [i, size] of sizes.entries()) {
    if (i > from && values + size > limit) {
      buckets.push({ from, to: i });
      [from, values] = [i, 0];
    }
    values += size;
  }
  return from < sizes.length ? [...buckets, { from, to: sizes.length }] : buckets;
}

/**
 * Waits for the sum. A broken connection shows in TensorFlow first, which cannot say whose process it was.
 * @param lost rejects when a process is lost
 */
async function unlessLost<T>(lost: Promise<never>, sum: Promise<T>): Promise<T> {
  try {
    return await Promise.race([sum, lost]);
  } catch (error) {
    const late = new Promise<void>((resolve) => setTimeout(resolve, LOST_MS).unref());
    await Promise.race([lost, late]);
    throw error;
  }
}

/** @param shapes of the dense parameters */
export function gradientSum(group: ProcessGroup, shapes: readonly (readonly number[])[]): GradientSum {
  const sizes = shapes.map(elementCount);
  const buckets = bucketsOf(sizes);
  const lost = rejectionOf(group.lost);
  let readyAt = 0;

  /** The rows that are sent [rows, H]. */
  const sent = (gradient: tf.Tensor, count: number) => {
    const rows = Math.min(gradient.shape[0]!, Math.max(1, Math.ceil(count / ROWS)) * ROWS);
    return tf.slice(
      gradient,
      gradient.shape.map(() => 0),
      [rows, ...gradient.shape.slice(1)],
    );
  };
  /** The whole gradient again [U, H]. */
  const padded = (rows: tf.Tensor, like: tf.Tensor) => {
    const missing = like.shape[0]! - rows.shape[0]!;
    return missing === 0 ? tf.clone(rows) : tf.concat([rows, tf.zeros([missing, ...like.shape.slice(1)])]);
  };

  return {
    async add({ losses, sums, rowGradients, rowCount }) {
      const own = tf.tidy(() => [
        losses,
        ...rowGradients.map((gradient) => sent(gradient, rowCount)),
        ...buckets.map(({ from, to }) => tf.concat(sums.slice(from, to).map((sum) => tf.reshape(sum.read(), [-1])))),
      ]);
      readyAt = performance.now();
      const summed = await unlessLost(lost, sumOverProcesses(own));
      const [allLosses, ...rest] = summed;
      const rows = rest.splice(0, rowGradients.length);
      const whole = tf.tidy(() => rows.map((some, i) => padded(some, rowGradients[i]!)));
      tf.dispose([...own.slice(1), ...rows]);
      return { losses: allLosses!, buckets: rest, rowGradients: whole };
    },
    unpack: (given) =>
      buckets.flatMap(({ from, to }, i) => {
        const parts = tf.split(given[i]!, sizes.slice(from, to));
        return parts.map((part, j) => tf.reshape(part, [...shapes[from + j]!]));
      }),
    ownMs: (startedAt) => readyAt - startedAt,
  };
}
