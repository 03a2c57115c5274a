/** @module What `byteify prepare` reads: files, folders, JSON lines from standard input, and datasets of the hub. */
import { stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { documentsOf, type Found, findFiles, lineDocuments, type Refusal, Unusable } from '../data/index.js';
import { UsageError } from '../errors.js';
import { type HubSource, hubInputs, isHubInput } from './hub-inputs.js';
import { type PrepareInput, type ReadOptions, STDIN } from './input.js';

export interface InputOptions {
  /** Paths, `-`, and datasets of the hub. */
  readonly inputs: readonly string[];
  /** The licence of each input as it was named, and of `''` all others. */
  readonly licences: ReadonlyMap<string, string>;
  readonly stdin: () => AsyncIterable<Uint8Array>;
  readonly hub: HubSource;
  readonly signal?: AbortSignal;
}

async function* stdinDocuments(
  stdin: AsyncIterable<Uint8Array>,
  { column, onStored, signal }: ReadOptions,
): AsyncGenerator<Found> {
  async function* stored() {
    for await (const chunk of stdin) {
      signal?.throwIfAborted();
      onStored(chunk);
      yield chunk;
    }
  }
  let count = 0;
  try {
    for await (const found of lineDocuments(stored(), { path: STDIN, textKey: column })) {
      count++;
      yield found;
    }
  } catch (error) {
    // A part of a distributed data set may be empty.
    if (!(error instanceof Unusable) || count > 0) throw error;
  }
}

const stdinInput = ({ stdin, licences }: InputOptions): PrepareInput => ({
  ...{ name: STDIN, path: null, size_bytes: null, modified: null, digest: null },
  license: licences.get(STDIN) ?? licences.get('') ?? null,
  documents: (options) => stdinDocuments(stdin(), options),
});

async function localInput(path: string, name: string, license: string | null): Promise<PrepareInput> {
  const found = await stat(path).catch(() => null);
  return {
    ...{ name, path, license, digest: null },
    ...{ size_bytes: found?.size ?? 0, modified: found?.mtime.toISOString() ?? null },
    documents: ({ column, ...options }) => documentsOf({ path, textKey: column, ...options }),
  };
}

/** The files that a path names or contains, named from the last part of the path. */
async function localInputs(given: string, { licences, signal }: InputOptions) {
  const { files, refused } = await findFiles([given], signal);
  const base = resolve(given);
  const license = licences.get(given) ?? licences.get('') ?? null;
  const inputs: PrepareInput[] = [];
  for (const path of files)
    inputs.push(await localInput(path, join(basename(base), relative(base, resolve(path))), license));
  return { inputs, refused };
}

/** @throws UsageError if a licence is stated of something that is no input, or standard input is not alone */
function checkInputs({ inputs, licences }: InputOptions): void {
  const other = [...licences.keys()].find((name) => name !== '' && !inputs.includes(name));
  if (other !== undefined)
    throw new UsageError(`--licence names ${other}, which is not one of the inputs.`, {
      hint: 'Write the input as it was given: --licence INPUT=ID, or --licence ID for all inputs.',
    });
  if (inputs.includes(STDIN) && inputs.length > 1)
    throw new UsageError('Standard input (-) cannot be combined with other inputs.', {
      hint: 'Prepare them into another folder; training takes several.',
    });
}

/** Each file once. Files of the same name get a number. */
function withUniqueNames(inputs: readonly PrepareInput[]): PrepareInput[] {
  const paths = new Set<string>();
  const uses = new Map<string, number>();
  return inputs.flatMap((input) => {
    const { name, path } = input;
    if (path !== null && paths.has(resolve(path))) return [];
    if (path !== null) paths.add(resolve(path));
    const count = (uses.get(name) ?? 0) + 1;
    uses.set(name, count);
    return [count === 1 ? input : { ...input, name: `${name} (${count})` }];
  });
}

/**
 * Lists everything that the inputs name, in a stable order.
 * @throws UsageError if an input does not exist; ByteifyError if the hub refuses; the signal's reason
 */
export async function findInputs(
  options: InputOptions,
): Promise<{ readonly inputs: readonly PrepareInput[]; readonly refused: readonly Refusal[] }> {
  checkInputs(options);
  const inputs: PrepareInput[] = [];
  const refused: Refusal[] = [];
  for (const given of options.inputs) {
    if (given === STDIN) inputs.push(stdinInput(options));
    else if (isHubInput(given)) inputs.push(...(await hubInputs(given, options)));
    else {
      const local = await localInputs(given, options);
      inputs.push(...local.inputs);
      refused.push(...local.refused);
    }
  }
  const named = withUniqueNames(inputs);
  if (named.length === 0)
    throw new UsageError(`${options.inputs.join(', ')} contains no files.`, {
      hint: 'Hidden files and node_modules are skipped.',
    });
  return { inputs: named, refused };
}
