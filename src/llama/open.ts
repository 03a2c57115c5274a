/** @module Opens a source: a transformers folder, a .gguf file, or a folder that holds one. */
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ByteifyError, UsageError } from '../errors.js';
import { parseJson } from '../fs/index.js';
import { openGguf } from '../gguf/index.js';
import {
  INDEX_FILE,
  openCheckpoint,
  SINGLE_FILE,
  type TensorInfo,
  type TensorReader,
  toFloat32,
} from '../safetensors/index.js';
import { type LlamaConfig, parseLlamaConfig } from './config.js';
import { ggufConfig } from './gguf-config.js';
import { fromGgufName, ROPE_FREQS } from './gguf-names.js';
import { llamaTensors } from './tensors.js';

export interface LlamaSource {
  readonly config: LlamaConfig;
  /** The config as transformers writes it. */
  readonly configJson: Readonly<Record<string, unknown>>;
  /** By transformers' tensor names. */
  readonly reader: TensorReader;
  /** How the rows of q and k lie (blt-format 4.2): GGUF files hold them interleaved already. */
  readonly ropeLayout: 'half' | 'interleaved';
  /** Whether the weights were dequantised. */
  readonly quantised: boolean;
  readonly folder: string;
  close(): Promise<void>;
}

/** Buffers of old checkpoints that modern ones compute. */
const IGNORED = /\.rotary_emb\.inv_freq$/;

/** @throws ByteifyError naming the first tensor that is missing, misshaped, a bias, or of another architecture. */
function checkTensors({ config, reader: { tensors } }: LlamaSource, accounted: readonly string[], where: string): void {
  const bias = [...tensors.keys()].find((name) => name.endsWith('.bias'));
  if (bias !== undefined) {
    throw new ByteifyError(
      `${where}: this model cannot be converted: it has the bias ${bias}, and BLT’s layers have none.`,
    );
  }
  const expected = llamaTensors(config);
  for (const { name, shape } of expected) {
    const found = tensors.get(name);
    if (found === undefined)
      throw new ByteifyError(`${where} lacks the tensor ${name}.`, {
        hint: 'The checkpoint is incomplete; download it again.',
      });
    if (found.shape.join() !== shape.join()) {
      throw new ByteifyError(`${where}: ${name} has the shape [${found.shape}], and its config says [${shape}].`);
    }
  }
  const names = new Set([...expected.map(({ name }) => name), 'lm_head.weight', ...accounted]);
  const extra = [...tensors.keys()].find((name) => !names.has(name) && !IGNORED.test(name));
  if (extra !== undefined) {
    throw new ByteifyError(`${where} holds the tensor ${extra}, which no Llama has.`, {
      hint: 'It is another architecture, or a merge gone wrong.',
    });
  }
}

async function openFolder(folder: string): Promise<LlamaSource> {
  const path = join(folder, 'config.json');
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ByteifyError(`${folder} holds no config.json.`, {
      hint: 'Give a folder that transformers can load, or a .gguf file.',
      cause,
    });
  });
  const json = parseJson(text, path, 'Download the model again.') as Record<string, unknown>;
  const config = parseLlamaConfig(json, path);
  const reader = await openCheckpoint(folder);
  return {
    config,
    configJson: json,
    reader,
    ropeLayout: 'half',
    quantised: false,
    folder,
    close: () => reader.close(),
  };
}

async function openGgufSource(path: string): Promise<LlamaSource> {
  const gguf = await openGguf(path);
  try {
    const tensors = new Map<string, TensorInfo>();
    const stored = new Map<string, string>();
    for (const [ggufName, info] of gguf.tensors) {
      const name = fromGgufName(ggufName);
      tensors.set(name, { ...info, name });
      stored.set(name, ggufName);
    }
    const factors = gguf.tensors.get(ROPE_FREQS);
    const json = ggufConfig(gguf.keyValues, path, {
      vocabSize: tensors.get('model.embed_tokens.weight')?.shape[0] ?? 0,
      tied: !tensors.has('lm_head.weight'),
      ropeDivisors: factors === undefined ? null : toFloat32(await gguf.read(factors.name), factors.dtype),
    });
    const reader: TensorReader = {
      tensors,
      metadata: {},
      async read(name, range) {
        const ggufName = stored.get(name);
        if (ggufName === undefined) throw new ByteifyError(`${path} lacks the tensor ${name}.`);
        return gguf.read(ggufName, range);
      },
      close: () => gguf.close(),
    };
    const quantised = [...gguf.storedTypes.values()].some((type) => /^Q\d/.test(type));
    const config = parseLlamaConfig(json, path);
    return {
      config,
      configJson: json,
      reader,
      ropeLayout: 'interleaved',
      quantised,
      folder: dirname(path),
      close: () => gguf.close(),
    };
  } catch (error) {
    await gguf.close();
    throw error;
  }
}

/** The one .gguf in a folder without safetensors, or null. */
async function ggufIn(folder: string): Promise<string | null> {
  if (existsSync(join(folder, SINGLE_FILE)) || existsSync(join(folder, INDEX_FILE))) return null;
  const files = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.gguf'));
  if (files.length > 1)
    throw new UsageError(`${folder} holds ${files.length} .gguf files.`, { hint: 'Name one of them.' });
  return files[0] === undefined ? null : join(folder, files[0]);
}

/**
 * @param path a folder or a .gguf file.
 * @throws ByteifyError or UsageError when it is not a Llama that can be converted, or is incomplete.
 */
export async function openLlama(path: string): Promise<LlamaSource> {
  const found = await stat(path).catch((cause) => {
    throw new UsageError(`${path} does not exist.`, { cause });
  });
  const gguf = found.isDirectory() ? await ggufIn(path) : path;
  const source = gguf === null ? await openFolder(path) : await openGgufSource(gguf);
  try {
    // A GGUF's rope_freqs are in the config by now.
    checkTensors(source, gguf === null ? [] : [ROPE_FREQS], path);
    return source;
  } catch (error) {
    await source.close();
    throw error;
  }
}
