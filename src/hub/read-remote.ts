/** @module Describes a hub model without downloading its weights: config.json, and the headers of the safetensors files by range requests. */
import { ByteifyError, messageOf } from '../errors.js';
// Imported directly, since the folder's index also loads the code that opens whole files.
import { headerLength, LENGTH_BYTES, parseHeader } from '../safetensors/header.js';
import { INDEX_FILE, type TensorInfo } from '../safetensors/index.js';
import { refuseWithoutWeights, weightFiles } from './files.js';
import { findModel, type HubOptions } from './find-model.js';
import { hubError, refusedBy } from './hub-errors.js';
import type { RemoteFile, RemoteTree } from './list-remote.js';
import type { ModelId } from './model-id.js';
import { resolveUrl } from './resolve-url.js';

export interface RemoteModel {
  readonly id: string;
  readonly commit: string;
  /** The text of config.json. */
  readonly config: string;
  /** All tensors, in the order of the files. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Large enough for the headers of most files: a tensor takes about 100 bytes. */
const FIRST_BYTES = 64 * 1024;

interface Source extends ModelId {
  readonly endpoint: string;
  readonly commit: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal | undefined;
}

/** Reads the first `count` bytes of a file; the rest is not read even if the server sends it. */
async function firstBytes(source: Source, path: string, count: number): Promise<Uint8Array> {
  const { id, revision, endpoint, fetch, signal } = source;
  const bytes = new Uint8Array(count);
  let done = 0;
  try {
    const response = await fetch(resolveUrl(source, path), {
      headers: { 'accept-encoding': 'identity', ...(count > 0 && { range: `bytes=0-${count - 1}` }) },
      ...(signal && { signal }),
    });
    if (!response.ok) throw hubError(refusedBy(response), id, revision, endpoint);
    for await (const chunk of response.body ?? []) {
      const wanted = chunk.subarray(0, count - done);
      bytes.set(wanted, done);
      done += wanted.length;
      if (done === count) break; // which also cancels the body
    }
  } catch (error) {
    if (error instanceof ByteifyError || signal?.aborted) throw error;
    throw readError(source, path, messageOf((error as Error).cause ?? error), error);
  }
  if (done < count) throw readError(source, path, 'the server closed the connection');
  return bytes;
}

function readError({ id }: Source, path: string, why: string, cause?: unknown): ByteifyError {
  return new ByteifyError(`${path} of ${id} could not be read: ${why}.`, { hint: 'Try again.', cause });
}

async function readText(source: Source, file: RemoteFile): Promise<string> {
  return new TextDecoder().decode(await firstBytes(source, file.path, file.sizeBytes));
}

async function readHeader(source: Source, file: RemoteFile) {
  const { sizeBytes, path } = file;
  const where = `${source.id}/${path}`;
  const first = await firstBytes(source, path, Math.min(FIRST_BYTES, sizeBytes));
  const end = LENGTH_BYTES + headerLength(first.subarray(0, LENGTH_BYTES), sizeBytes, where);
  const bytes = end <= first.length ? first : await firstBytes(source, path, end);
  return parseHeader(bytes.subarray(LENGTH_BYTES, end), sizeBytes - end, where);
}

async function readTree(source: Source, { files }: RemoteTree): Promise<RemoteModel> {
  const { id, commit } = source;
  const paths = files.map(({ path }) => path);
  refuseWithoutWeights(id, paths);
  const fileOf = (path: string) => files.find((file) => file.path === path);
  const config = fileOf('config.json');
  if (config === undefined) {
    throw new ByteifyError(`${id} has no config.json.`, { hint: 'Use the repository of a transformers model.' });
  }
  const index = fileOf(INDEX_FILE);
  const weights = weightFiles(id, paths, index === undefined ? null : await readText(source, index));
  const headers = [];
  for (const path of weights) headers.push(await readHeader(source, fileOf(path)!));
  return {
    id,
    commit,
    config: await readText(source, config),
    tensors: headers.flatMap(({ tensors }) => [...tensors.values()]),
    metadata: Object.assign({}, ...headers.map(({ metadata }) => metadata)),
  };
}

/**
 * @param model org/name, with an optional @revision.
 * @returns the config and tensor headers from the hub; or the folder of the cached model if the hub must not be contacted or cannot be reached.
 * @throws UsageError if `model` is not an id. ByteifyError if the hub refuses, the repository has no safetensors, a header is invalid, or
 * there is neither a connection nor a cached model.
 */
export async function readRemote(
  model: string,
  options: HubOptions = {},
): Promise<RemoteModel | { readonly folder: string }> {
  const found = await findModel(model, options);
  if (!('tree' in found)) return found;
  const { tree } = found;
  return readTree({ ...found, commit: tree.commit, signal: options.signal }, tree);
}
