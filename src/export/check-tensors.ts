/** @module Compares a checkpoint's tensors with those that its config requires: none missing, none unexpected, all of the right shape. */

import type { TensorSpec } from '../blt/index.js';
import { ByteifyError } from '../errors.js';
import type { TensorInfo } from '../safetensors/index.js';

/** Enough names to see the pattern, few enough for one line. */
const NAMES_SHOWN = 3;

/**
 * @param specs the required tensors, in the order of the format.
 * @param where the checkpoint's name in the error.
 * @returns the stored tensors in the order of `specs`, with their stored dtypes.
 * @throws ByteifyError naming the tensors that are missing, unexpected or of another shape.
 */
export function checkTensors(
  specs: readonly TensorSpec[],
  stored: ReadonlyMap<string, TensorInfo>,
  where: string,
): TensorInfo[] {
  const expected = new Set(specs.map(({ name }) => name));
  const missing = specs.filter(({ name }) => !stored.has(name)).map(({ name }) => name);
  const unexpected = [...stored.keys()].filter((name) => !expected.has(name));
  const found = specs.flatMap((spec) => stored.get(spec.name) ?? []);
  const misshaped = specs.flatMap(({ name, shape }) => {
    const tensor = stored.get(name);
    if (tensor === undefined || sameShape(tensor.shape, shape)) return [];
    return [`${name} is [${tensor.shape.join(', ')}], not [${shape.join(', ')}]`];
  });
  const faults = [
    fault(missing, (names) => `lacks ${names}`),
    fault(unexpected, (names) => `contains ${names}, which its config.json does not describe`),
    fault(misshaped, (names) => `has tensors of the wrong shape: ${names}`),
  ].filter((text) => text !== null);
  if (faults.length === 0) return found;
  throw new ByteifyError(`${where} ${faults.join('; ')}.`, {
    hint: 'The weights do not belong to this config.json, or a file is missing.',
  });
}

function fault(names: readonly string[], say: (names: string) => string): string | null {
  if (names.length === 0) return null;
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return say(names.slice(0, NAMES_SHOWN).join(', ') + more);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
