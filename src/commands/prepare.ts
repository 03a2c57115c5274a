/** @module `byteify prepare`: streams text of any size into shards, the whole of it or one part. */
import { type DomainKind, type PreparedManifest, warnRefused } from '../data/index.js';
import { UsageError } from '../errors.js';
import type { Part } from '../part.js';
import { findPatcher, mergePrepared, type PrepareOptions, type PrepareResult, prepare } from '../prepare/index.js';
import { counted, humanBytes, renderPairs } from '../ui/index.js';
import { type Command, type Context, parsers, printResult } from './command.js';
import { type EngineArgs, engineOptions, startEngineFor } from './shared-options.js';

interface Args extends EngineArgs {
  readonly input: readonly string[];
  readonly out: string;
  readonly column: string;
  readonly kind: DomainKind;
  readonly shardBytes: number;
  readonly patcher?: string;
  readonly shard?: Part;
  readonly licence: readonly string[];
  readonly merge?: boolean;
}

/** A document longer than a shard is cut, which would be pointless for smaller ones. */
const MIN_SHARD_BYTES = 1024;
const DEFAULT_SHARD_BYTES = 64 * 2 ** 20;
function parseShardBytes(text: string): number {
  const bytes = parsers.byteSize(text);
  if (bytes < MIN_SHARD_BYTES) throw new Error(`must be at least ${MIN_SHARD_BYTES} bytes`);
  return bytes;
}

/** Licences by input; those of all others under the empty name. */
function licencesOf(values: readonly string[]): Map<string, string> {
  const licences = values.map((value): [string, string] => {
    const at = value.lastIndexOf('=');
    return at < 0 ? ['', value] : [value.slice(0, at), value.slice(at + 1)];
  });
  return new Map(licences);
}

const countsOf = ({
  documents,
  bytes,
  patches,
  cut_documents,
  refused_count,
}: PreparedManifest | PrepareResult['manifest']) => ({
  ...{ documents, bytes, patches },
  bytes_per_patch: patches === null || patches === 0 ? null : bytes / patches,
  ...{ cut_documents, refused_count },
});

/** What is printed about a whole folder. */
const wholeDocument = (folder: string, prepared: PreparedManifest) => ({
  ...{ folder, identity: prepared.identity, digest: prepared.digest, complete: true },
  ...countsOf(prepared),
  ...{ shards: prepared.shards.length, parts: prepared.settings.parts, licenses: prepared.licenses },
});

function printDocument(context: Context, document: ReturnType<typeof wholeDocument> | ReturnType<typeof partDocument>) {
  printResult(context, document, () =>
    renderPairs([
      ['documents', document.documents.toLocaleString('en')],
      ['text', humanBytes(document.bytes)],
      ['bytes per patch', document.bytes_per_patch?.toFixed(2) ?? 'no patcher'],
      ['shards', String(document.shards)],
      ['left out', String(document.refused_count)],
      ['folder', document.folder],
    ]),
  );
}

/** What is printed about a part. */
const partDocument = (folder: string, { part, parts }: Part, { identity, manifest, writtenShards }: PrepareResult) => ({
  ...{ folder, identity, complete: false, part, parts },
  ...countsOf(manifest),
  ...{ shards: manifest.shards.length, written_shards: writtenShards },
});

/** Loads the patcher. @returns the function that cuts documents, and what their patches depend on */
async function openPatcher(args: Args, dir: string, signal: AbortSignal) {
  const found = await findPatcher(dir, signal);
  await startEngineFor(args);
  const { openResidentModel, openSegmenter } = await import('../model/index.js');
  const model = await openResidentModel(found.folder, { weights: 'float32', only: 'patcher' });
  const segmenter = openSegmenter(model);
  const segment: PrepareOptions['segment'] = (document, stop) => segmenter.segment(document, stop && { signal: stop });
  return {
    ...{ identity: { patcher: found.patcher, tokenizer: found.tokenizer }, segment },
    dispose() {
      segmenter.dispose();
      model.dispose();
    },
  };
}

async function merge(context: Context, { out }: Args): Promise<void> {
  const { reporter, signal } = context;
  reporter.stage('Verifying the shards');
  const prepared = await mergePrepared(out, {
    onProgress: ({ bytes, totalBytes }) => reporter.progress({ done: bytes, total: totalBytes, unit: 'bytes' }),
    signal,
  });
  reporter.done(`${counted(prepared.shards.length, 'shard')}, ${humanBytes(prepared.bytes)}`);
  printDocument(context, wholeDocument(out, prepared));
}

async function run(context: Context, args: Args): Promise<void> {
  const { reporter, signal } = context;
  const { input, out, kind, column, shardBytes, shard = { part: 0, parts: 1 } } = args;
  const patcher = args.patcher === undefined ? null : await openPatcher(args, args.patcher, signal);
  reporter.stage(patcher === null ? 'Preparing text' : 'Preparing text and patches');
  const result = await prepare({
    ...{ inputs: input, licences: licencesOf(args.licence), stdin: () => process.stdin, hub: {}, signal },
    ...{ out, kind, column, shardBytes, ...shard },
    identity: patcher?.identity ?? { patcher: null, tokenizer: null },
    segment: patcher?.segment ?? null,
    onRefused: (refused) => warnRefused(reporter, refused, { count: refused.length }),
    onProgress: ({ bytes }) => reporter.progress({ done: bytes, unit: 'bytes' }),
    onMerge() {
      reporter.done();
      reporter.stage('Verifying the shards');
    },
  }).finally(() => patcher?.dispose());
  const { manifest, prepared } = result;
  reporter.done(`${counted(manifest.documents, 'document')}, ${humanBytes(manifest.bytes)}`);
  warnRefused(reporter, result.refused, { count: manifest.refused_count, list: 'the record of each shard' });
  printDocument(context, prepared === null ? partDocument(out, shard, result) : wholeDocument(out, prepared));
}

function parseColumn(text: string): string {
  if (text === '') throw new Error('must be the name of a key or column');
  return text;
}

export const prepareCommand: Command<Args> = {
  name: 'prepare',
  summary: 'stream text of any size, Parquet or a hub dataset into shards to train on, in parts if wanted',
  arguments: [
    {
      name: 'input',
      help: 'files and folders of text, JSON lines or Parquet; hub:datasets/ORG/NAME[@REV][/PATH]; - for JSON lines on standard input',
      optional: true,
      variadic: true,
    },
  ],
  options: [
    { flags: '--out <dir>', help: 'the prepared folder; run the same command again to resume', required: true },
    {
      flags: '--patcher <dir>',
      help: 'a conversion or BLT checkpoint whose patcher adds entropies and patch lengths',
    },
    {
      flags: '--column <name>',
      help: 'key of the text in a JSON record, or column of a Parquet file',
      parse: parseColumn,
      default: 'text',
    },
    {
      flags: '--kind <kind>',
      help: 'text, or files of any bytes, each one document',
      choices: ['text', 'bytes'],
      default: 'text',
    },
    {
      flags: '--shard-bytes <size>',
      help: 'text per shard, as in 64MiB',
      parse: parseShardBytes,
      default: DEFAULT_SHARD_BYTES,
    },
    {
      flags: '--shard <i/n>',
      help: 'do only part i of n of the work, counted from 0; --merge completes the folder',
      parse: parsers.part,
    },
    {
      flags: '--licence <id>',
      help: 'licence of the inputs, or INPUT=ID for one of them (default: what the card of a hub dataset states)',
      repeatable: true,
    },
    { flags: '--merge', help: 'verify all parts of --out and complete the folder' },
    ...engineOptions,
  ],
  examples: [
    'byteify prepare corpus/ --out prepared --licence cc-by-4.0',
    'byteify prepare hub:datasets/HuggingFaceFW/fineweb-edu/sample/10BT --patcher llama-blt --out prepared',
    'byteify prepare corpus/ --out prepared --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT',
    'byteify prepare --merge --out prepared',
  ],
  async run(context, args) {
    if (args.merge === true && args.input.length > 0)
      throw new UsageError('--merge takes no inputs.', { hint: 'It verifies the parts that are in --out.' });
    if (args.merge === true) return merge(context, args);
    if (args.input.length === 0)
      throw new UsageError('There is nothing to prepare.', { hint: 'Name files, folders or hub datasets.' });
    await run(context, args);
  },
};
