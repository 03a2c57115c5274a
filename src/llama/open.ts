/** @module Opens a source: a transformers folder, a .gguf file, or a folder that contains one. */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../errors.js';
import { isThere, missingPath } from '../fs/index.js';
import { openGguf, quantisedTypes } from '../gguf/index.js';
import { INDEX_FILE, openCheckpoint, SINGLE_FILE, type TensorReader, toFloat32 } from '../safetensors/index.js';
import { systemCode, systemFailure } from '../system-errors.js';
import { checkTensors } from './check-tensors.js';
import { type LlamaConfig, parseLlamaConfig } from './config.js';
import { ggufConfig } from './gguf-config.js';
import { fromGgufName, ROPE_FREQS } from './gguf-names.js';
import { readConfigJson } from './read-config.js';
import { modelName, renamedReader, storedNames } from './tensor-names.js';
import { EMBEDDING, HEAD, isHeadTied, withTiedEmbedding } from './tied-head.js';

export interface LlamaSource {
  readonly config: LlamaConfig;
  /** The config as transformers writes it. */
  readonly configJson: Readonly<Record<string, unknown>>;
  /** Reads tensors by their transformers names. */
  readonly reader: TensorReader;
  /** Row order of q and k (blt-format 4.2). In GGUF files they are already interleaved. */
  readonly ropeLayout: 'half' | 'interleaved';
  /** The types of the tensors that are read dequantised (`Q4_1`, `Q6_K`), most tensors first; empty if there are none. */
  readonly quantisedTypes: readonly string[];
  readonly folder: string;
  close(): Promise<void>;
}

/** Checks the tensors and sets `tiedEmbeddings` from the weights. @throws ByteifyError as checkTensors does. */
async function checked(source: LlamaSource, accounted: readonly string[], where: string): Promise<LlamaSource> {
  const { reader } = source;
  const config = { ...source.config, tiedEmbeddings: await isHeadTied(source.config, reader) };
  checkTensors(reader.tensors, { config, accounted, where });
  return { ...source, config };
}

async function openFolder(folder: string): Promise<LlamaSource> {
  const json = await readConfigJson(folder);
  const config = parseLlamaConfig(json, join(folder, 'config.json'));
  const stored = await openCheckpoint(folder);
  try {
    const names = withTiedEmbedding(storedNames(stored.tensors.keys(), modelName(config), folder), config);
    const reader = renamedReader(stored, names, folder);
    return {
      config,
      configJson: json,
      reader,
      ropeLayout: 'half',
      quantisedTypes: [],
      folder,
      close: () => reader.close(),
    };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

async function openGgufSource(path: string): Promise<LlamaSource> {
  const gguf = await openGguf(path);
  try {
    const names = storedNames(gguf.tensors.keys(), fromGgufName, path);
    const reader = renamedReader(gguf, names, path);
    const factors = gguf.tensors.get(ROPE_FREQS);
    const json = ggufConfig(gguf.keyValues, path, {
      vocabSize: reader.tensors.get(EMBEDDING)?.shape[0] ?? null,
      tied: !reader.tensors.has(HEAD),
      ropeDivisors: factors === undefined ? null : toFloat32(await gguf.read(factors.name), factors.dtype),
    });
    const config = parseLlamaConfig(json, path);
    return {
      config,
      configJson: json,
      reader,
      ropeLayout: 'interleaved',
      quantisedTypes: quantisedTypes(gguf.storedTypes.values()),
      folder: dirname(path),
      close: () => gguf.close(),
    };
  } catch (error) {
    await gguf.close();
    throw error;
  }
}

const SOURCE_HINT = 'Give a transformers folder or a .gguf file.';

/** The only .gguf file in a folder without safetensors, or null. */
async function ggufIn(folder: string): Promise<string | null> {
  if (isThere(join(folder, SINGLE_FILE)) || isThere(join(folder, INDEX_FILE))) return null;
  const files = (await readdir(folder)).filter((name) => name.toLowerCase().endsWith('.gguf'));
  if (files.length > 1)
    throw new UsageError(`${folder} contains ${files.length} .gguf files.`, { hint: 'Name one of them.' });
  return files[0] === undefined ? null : join(folder, files[0]);
}

/**
 * Opens a source and checks it completely: its config, and the names, shapes and types of its tensors.
 * @param path a folder or a .gguf file.
 * @throws ByteifyError or UsageError when it is not a convertible Llama, or is incomplete.
 */
export async function openLlama(path: string): Promise<LlamaSource> {
  const found = await stat(path).catch((cause) => {
    throw systemCode(cause) === 'ENOENT' ? missingPath(path, SOURCE_HINT) : (systemFailure(cause, path) ?? cause);
  });
  const gguf = found.isDirectory() ? await ggufIn(path) : path;
  const source = gguf === null ? await openFolder(path) : await openGgufSource(gguf);
  try {
    // The config already includes the rope_freqs of a GGUF file.
    return await checked(source, gguf === null ? [] : [ROPE_FREQS], path);
  } catch (error) {
    await source.close();
    throw error;
  }
}
