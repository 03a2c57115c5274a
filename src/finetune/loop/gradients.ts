/** @module Gradients with respect to named parameters, and their global norm. */
import { attribute, rawOp, tf } from '../../engine/index.js';
import { ByteifyError, messageOf } from '../../errors.js';

/** A loss as a function of the parameters by name. */
export type Loss = (values: ReadonlyMap<string, tf.Tensor>) => tf.Scalar;

/**
 * Computes a loss and its gradients with respect to the values, in the map's order. The caller disposes all of them.
 * @throws ByteifyError when an operation has no gradient, or the loss does not depend on one of the values.
 */
export function lossAndGradients(
  values: ReadonlyMap<string, tf.Tensor>,
  loss: Loss,
): { loss: tf.Scalar; gradients: tf.Tensor[] } {
  const names = [...values.keys()];
  const given = [...values.values()];
  const { value, grads } = tf.tidy(() => {
    try {
      return tf.engine().gradients(() => loss(new Map(given.map((x, i) => [names[i]!, x]))), given, undefined, true);
    } catch (cause) {
      const kernel = /gradient function not found for (\w+)/.exec(messageOf(cause))?.[1];
      // tfjs-core does not release the tensors that a failed backward pass had saved.
      const { state } = tf.engine();
      for (const { saved } of state.activeTape ?? []) tf.dispose(saved ?? []);
      state.activeTape = null as never;
      if (kernel === undefined) throw cause;
      throw new ByteifyError(`The operation ${kernel} has no gradient.`, {
        hint: 'Register one in src/engine/gradients.ts, or give the operation one with customGrad.',
        cause,
      });
    }
  });
  const missing = names.filter((_, i) => grads[i] === undefined || grads[i] === null);
  if (missing.length > 0) {
    tf.dispose([value, ...grads.filter((grad) => grad)]);
    throw new ByteifyError(`The loss has no gradient for ${missing.join(', ')}.`, {
      hint: 'Freeze them if the loss does not depend on them; otherwise use only operations that have gradients.',
    });
  }
  return { loss: value as tf.Scalar, gradients: grads };
}

/** The Euclidean norm of all gradients together, a scalar. */
export function globalNorm(gradients: readonly tf.Tensor[]): tf.Scalar {
  return tf.tidy(() => {
    const halves = gradients.map((gradient) => rawOp('L2Loss', [attribute.type('T', 'float32')], [gradient])[0]!);
    return tf.sqrt(tf.mul(tf.addN(halves), 2));
  });
}

/** The factor that reduces gradients of this norm to at most `limit` (torch.nn.utils.clip_grad_norm_, including its 1e-6). */
export function clipScale(norm: tf.Tensor, limit: number): tf.Scalar {
  return tf.tidy(() => tf.minimum(1, tf.div(limit, tf.add(norm, 1e-6))));
}
