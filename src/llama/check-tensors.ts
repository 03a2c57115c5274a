/** @module Checks the tensors of a source against its config: none missing, none extra, of the right shape, and plain floats. */
import { ByteifyError } from '../errors.js';
import { type Dtype, isPlainFloat, quoted, type TensorInfo } from '../safetensors/index.js';
import { counted } from '../ui/format.js';
import type { LlamaConfig } from './config.js';
import { FOREIGN_KINDS, ROTARY_BUFFER } from './foreign-tensors.js';
import { type LlamaTensor, llamaTensors } from './tensors.js';
import { HEAD } from './tied-head.js';

export interface NamesCheck {
  readonly config: LlamaConfig;
  /** Names of the present tensors, as the model calls them. */
  readonly names: readonly string[];
  /** Names that may be present as well, because their contents are known from elsewhere. */
  readonly accounted: readonly string[];
  /** Names the source in errors. */
  readonly where: string;
  /** How a tensor is stored, if that is known. */
  readonly dtypeOf?: (name: string) => Dtype;
}

const INCOMPLETE = 'The checkpoint is incomplete; download it again.';

function refuseForeign(names: readonly string[], where: string): void {
  for (const { name: pattern, what, hint } of FOREIGN_KINDS) {
    const found = names.find((name) => pattern.test(name));
    if (found === undefined) continue;
    throw new ByteifyError(
      `${where}: this model cannot be converted: it contains the tensor ${quoted(found)}, ${what}.`,
      {
        hint,
      },
    );
  }
}

/** The number of layers that the tensor names imply. */
function layersIn(names: readonly string[]): number {
  const numbers = names.map((name) => Number(/^model\.layers\.(\d+)\./.exec(name)?.[1] ?? -1));
  return numbers.reduce((most, number) => Math.max(most, number), -1) + 1;
}

function refuseMissing(name: string, { config, names, where }: NamesCheck): never {
  const layers = layersIn(names);
  if (name === HEAD) {
    throw new ByteifyError(
      `${where} lacks the tensor ${name}, and its config does not tie the head to the embeddings (tie_word_embeddings).`,
      {
        hint: 'Base models (LlamaModel) are saved without a head: use the causal language model. If its head is the embedding, set tie_word_embeddings to true in config.json.',
      },
    );
  }
  if (name.startsWith('model.layers.') && layers > 0 && layers < config.layers) {
    const found = counted(layers, 'layer');
    throw new ByteifyError(`${where} has ${found}, but its config says ${config.layers} (num_hidden_layers).`, {
      hint: INCOMPLETE,
    });
  }
  throw new ByteifyError(`${where} lacks the tensor ${name}.`, { hint: INCOMPLETE });
}

function refuseExtra(extra: readonly string[], { config, names, where, dtypeOf }: NamesCheck): void {
  const layers = layersIn(names);
  const [first] = extra;
  if (first === undefined) return;
  if (layers > config.layers) {
    const found = counted(layers, 'layer');
    throw new ByteifyError(`${where} has ${found}, but its config says ${config.layers} (num_hidden_layers).`, {
      hint: 'The weights and the config do not match.',
    });
  }
  const dtype = dtypeOf?.(first) ?? 'F32';
  const stored = isPlainFloat(dtype) ? '' : ` of type ${dtype}`;
  throw new ByteifyError(`${where} contains the tensor ${first}${stored}, which no Llama has.`, {
    hint: 'The model has another architecture, or was merged incorrectly.',
  });
}

/**
 * Checks the tensor names. Each tensor is either used, known to be computed from the config, or refused; none is silently ignored.
 * @throws ByteifyError naming the first tensor that is missing, or the first that no Llama has and what it is instead.
 */
export function checkNames(check: NamesCheck): void {
  const expected = llamaTensors(check.config).map(({ name }) => name);
  // When the head is tied to the embedding, a file may contain the same numbers twice.
  const known = new Set([...expected, HEAD, ...check.accounted]);
  const extra = check.names.filter((name) => !known.has(name) && !ROTARY_BUFFER.test(name));
  refuseForeign(extra, check.where);
  const there = new Set(check.names);
  const missing = expected.find((name) => !there.has(name));
  if (missing !== undefined) refuseMissing(missing, check);
  refuseExtra(extra, check);
}

function checkTensor({ name, dtype, shape }: TensorInfo, wanted: LlamaTensor, where: string): void {
  if (!isPlainFloat(dtype)) {
    throw new ByteifyError(
      `${where}: ${name} is stored as ${dtype}, which cannot be converted: weights must be F32, F16, BF16 or F64.`,
      { hint: 'Use the checkpoint that it was quantised from, or a GGUF file.' },
    );
  }
  if (shape.join() !== wanted.shape.join())
    throw new ByteifyError(`${where}: ${name} has the shape [${shape}], but its config says [${wanted.shape}].`);
}

/**
 * Checks the names as checkNames does, and also the shape and type of each tensor.
 * @param tensors by the model's names.
 * @throws ByteifyError as checkNames does, and naming the first tensor that has the wrong shape or is not stored as plain floats.
 */
export function checkTensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  check: Omit<NamesCheck, 'names' | 'dtypeOf'>,
): void {
  checkNames({ ...check, names: [...tensors.keys()], dtypeOf: (name) => tensors.get(name)!.dtype });
  for (const wanted of llamaTensors(check.config)) checkTensor(tensors.get(wanted.name)!, wanted, check.where);
}
