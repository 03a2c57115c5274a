/** @module The tensors of a source against its config: all there, none too many, of the right shape, and plain numbers. */
import { ByteifyError } from '../errors.js';
import { isPlainFloat, quoted, type TensorInfo } from '../safetensors/index.js';
import type { LlamaConfig } from './config.js';
import { FOREIGN_KINDS, ROTARY_BUFFER } from './foreign-tensors.js';
import { type LlamaTensor, llamaTensors } from './tensors.js';
import { HEAD } from './tied-head.js';

type Tensors = ReadonlyMap<string, TensorInfo>;

export interface TensorCheck {
  readonly config: LlamaConfig;
  /** By the model's names. */
  readonly tensors: Tensors;
  /** Names that may be there as well, since what they say is known otherwise. */
  readonly accounted: readonly string[];
  /** Names the source in errors. */
  readonly where: string;
}

const INCOMPLETE = 'The checkpoint is incomplete; download it again.';

function refuseForeign(names: readonly string[], where: string): void {
  for (const { name: pattern, what, hint } of FOREIGN_KINDS) {
    const found = names.find((name) => pattern.test(name));
    if (found === undefined) continue;
    throw new ByteifyError(`${where}: this model cannot be converted: it holds the tensor ${quoted(found)}, ${what}.`, {
      hint,
    });
  }
}

/** How many layers the names speak of. */
function layersIn(tensors: Tensors): number {
  const numbers = [...tensors.keys()].map((name) => Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1));
  return numbers.reduce((most, number) => Math.max(most, number), -1) + 1;
}

function refuseMissing(name: string, { config, tensors, where }: TensorCheck): never {
  const layers = layersIn(tensors);
  if (name === HEAD) {
    throw new ByteifyError(
      `${where} lacks the tensor ${name}, and its config does not tie the head to the embeddings (tie_word_embeddings).`,
      {
        hint: 'Base models (LlamaModel) are saved without a head: take the causal language model. If its head is the embedding, set tie_word_embeddings to true in config.json.',
      },
    );
  }
  if (name.startsWith('model.layers.') && layers > 0 && layers < config.layers) {
    throw new ByteifyError(
      `${where} holds ${layers} layers, and its config says ${config.layers} (num_hidden_layers).`,
      {
        hint: INCOMPLETE,
      },
    );
  }
  throw new ByteifyError(`${where} lacks the tensor ${name}.`, { hint: INCOMPLETE });
}

function checkTensor({ name, shape }: LlamaTensor, check: TensorCheck): void {
  const found = check.tensors.get(name) ?? refuseMissing(name, check);
  const { where } = check;
  if (!isPlainFloat(found.dtype)) {
    throw new ByteifyError(
      `${where}: ${name} is stored as ${found.dtype}, which cannot be converted: weights must be F32, F16, BF16 or F64.`,
      { hint: 'Take the checkpoint that it was quantised from, or a GGUF file.' },
    );
  }
  if (found.shape.join() !== shape.join())
    throw new ByteifyError(`${where}: ${name} has the shape [${found.shape}], and its config says [${shape}].`);
}

function refuseExtra(extra: readonly string[], { config, tensors, where }: TensorCheck): void {
  const layers = layersIn(tensors);
  const [first] = extra;
  if (first === undefined) return;
  if (layers > config.layers) {
    throw new ByteifyError(
      `${where} holds ${layers} layers, and its config says ${config.layers} (num_hidden_layers).`,
      {
        hint: 'The weights and the config do not belong together.',
      },
    );
  }
  throw new ByteifyError(`${where} holds the tensor ${first}, which no Llama has.`, {
    hint: 'It is another architecture, or a merge gone wrong.',
  });
}

/**
 * A tensor is used, known to be computed from the config, or refused; none is passed over.
 * @throws ByteifyError naming the first tensor that is missing, misshaped, stored as what is no plain number, or of no Llama.
 */
export function checkTensors(check: TensorCheck): void {
  const expected = llamaTensors(check.config);
  // Where the head is the embedding, the same numbers may be there twice.
  const known = new Set([...expected.map(({ name }) => name), HEAD, ...check.accounted]);
  const extra = [...check.tensors.keys()].filter((name) => !known.has(name) && !ROTARY_BUFFER.test(name));
  refuseForeign(extra, check.where);
  for (const tensor of expected) checkTensor(tensor, check);
  refuseExtra(extra, check);
}
