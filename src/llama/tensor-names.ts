/** @module Names of a checkpoint's tensors as a LlamaForCausalLM has them, and readers that go by other names than the file. */
import { ByteifyError } from '../errors.js';
import { quoted, type TensorInfo, type TensorReader } from '../safetensors/index.js';
import type { LlamaConfig } from './config.js';
import { llamaTensors } from './tensors.js';

const BASE_PREFIX = 'model.';

/**
 * Stored names by what they mean.
 * @param meaning of a stored name; @param where names the source in errors.
 * @throws ByteifyError when two stored names mean the same tensor: one of them would be passed over.
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
        `${where} holds both ${quoted(other)} and ${quoted(name)}, which are one tensor of the model.`,
        { hint: 'Save the model again, with one of the two.' },
      );
    }
    named.set(meant, name);
  }
  return named;
}

/**
 * The name that a LlamaForCausalLM has for a stored tensor: with the `model.` that base models are saved without, or without one that is
 * there too often, by the rule of transformers 5 (core_model_loading.py, rename_source_key): where that gives the name of a tensor that
 * the model has. Other names stay.
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
 * The same tensors under other names.
 * @param names stored names by the new ones; @param where names the source in errors. Closing it closes `reader`.
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
