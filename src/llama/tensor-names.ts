/** @module Translates a checkpoint's tensor names to those of LlamaForCausalLM, and reads tensors under the translated names. */
import { ByteifyError } from '../errors.js';
import { quoted, type TensorInfo, type TensorReader } from '../safetensors/index.js';
import type { LlamaConfig } from './config.js';
import { llamaTensors } from './tensors.js';

const BASE_PREFIX = 'model.';

/**
 * Maps the model's tensor names to the stored names.
 * @param meaning returns the model's name for a stored name; @param where names the source in errors.
 * @throws ByteifyError when two stored names mean the same tensor, since one of them would be ignored.
 */
export function storedNames(
  stored: Iterable<string>,
  meaning: (name: string) => string,
  where: string,
): Map<string, string> {
  const named = new Map<string, string>();
  for (const name of stored) {
    const meant = meaning(name);
    const other = named.get(meant);
    if (other !== undefined) {
      throw new ByteifyError(
        `${where} contains both ${quoted(other)} and ${quoted(name)}, which are the same tensor of the model.`,
        { hint: 'Save the model again with only one of the two.' },
      );
    }
    named.set(meant, name);
  }
  return named;
}

/**
 * The name that a LlamaForCausalLM has for a stored tensor. It adds the `model.` prefix that base models are saved without, or removes a
 * duplicate one, by the rule of transformers 5 (core_model_loading.py, rename_source_key): a change applies only if it yields the name
 * of a tensor that the model has. Other names are kept.
 */
export function modelName(config: LlamaConfig): (stored: string) => string {
  const known = new Set(llamaTensors({ ...config, tiedEmbeddings: false }).map(({ name }) => name));
  return (stored) => {
    const shorter = stored.startsWith(BASE_PREFIX) ? stored.slice(BASE_PREFIX.length) : '';
    const longer = BASE_PREFIX + stored;
    return known.has(shorter) ? shorter : known.has(longer) ? longer : stored;
  };
}

/**
 * Reads the same tensors under other names. Closing the returned reader closes `reader`.
 * @param names stored names by their new names; @param where names the source in errors.
 */
export function renamedReader(reader: TensorReader, names: ReadonlyMap<string, string>, where: string): TensorReader {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, stored] of names) tensors.set(name, { ...reader.tensors.get(stored)!, name });
  return {
    tensors,
    metadata: reader.metadata,
    async read(name, range) {
      const stored = names.get(name);
      if (stored === undefined) throw new ByteifyError(`${where} lacks the tensor ${quoted(name)}.`);
      return reader.read(stored, range);
    },
    close: () => reader.close(),
  };
}
