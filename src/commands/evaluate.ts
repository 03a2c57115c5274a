/** @module `byteify evaluate`: measures the bits per byte of a model on text, alone or beside its source. */
import { type EvaluatedKind, evaluateModel } from '../evaluate/index.js';
import { withLlama } from '../pipeline/index.js';
import { counted, renderTable } from '../ui/index.js';
import { type Command, parsers, printResult } from './command.js';
import { dataOption, type EngineArgs, engineOptions, startEngineFor, textKeyOption } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly data?: readonly string[];
  readonly against?: string;
  readonly maxBytes: number;
  readonly textKey: string;
}

const COLUMNS = ['documents', 'bytes', 'bits per byte', 'bytes per patch', 'left out'];
const SOURCE_COLUMNS = ['source', 'bytes per token', 'retention'];

/** A kind of text as `--json` prints it. */
function rowOf({ kind, documents, bytes, bitsPerByte, bytesPerPatch, refused, refusedCount, source }: EvaluatedKind) {
  const isComparable = source?.unspelled === 0 && source.bitsPerByte !== null && bitsPerByte !== null;
  return {
    kind,
    documents,
    bytes,
    bits_per_byte: bitsPerByte,
    bytes_per_patch: bytesPerPatch,
    refused,
    refused_count: refusedCount,
    ...(source !== null && {
      source: {
        bytes: source.bytes,
        bits_per_byte: source.bitsPerByte,
        bytes_per_token: source.bytesPerToken,
        unspelled_count: source.unspelled,
      },
      // Only figures of the same bytes can be compared.
      retention: isComparable ? source.bitsPerByte / bitsPerByte : null,
    }),
  };
}

function cellsOf(row: ReturnType<typeof rowOf>): string[] {
  const own = [
    row.kind,
    row.documents.toLocaleString('en'),
    row.bytes.toLocaleString('en'),
    row.bits_per_byte?.toFixed(4) ?? '',
    row.bytes_per_patch?.toFixed(2) ?? '',
    row.refused_count.toLocaleString('en'),
  ];
  if (row.source === undefined) return own;
  const { bits_per_byte: bits, bytes_per_token: perToken } = row.source;
  const retention = row.retention == null ? '' : `${(100 * row.retention).toFixed(1)} %`;
  return [...own, bits?.toFixed(4) ?? '', perToken?.toFixed(2) ?? '', retention];
}

/** What a reader of the table must know about the source's figures. */
function notes(kinds: readonly ReturnType<typeof rowOf>[], quantisedTypes: readonly string[]): string {
  const unspelled = kinds.reduce((sum, { source }) => sum + (source?.unspelled_count ?? 0), 0);
  const sentences = [
    ...(quantisedTypes.length > 0 ? [`The source's weights are quantised: ${quantisedTypes.join(', ')}.`] : []),
    ...(unspelled > 0
      ? [`The source was not measured on ${counted(unspelled, 'document')} that its tokens cannot spell.`]
      : []),
  ];
  return sentences.map((sentence) => `\n${sentence}\n`).join('');
}

export const evaluate: Command<Args> = {
  name: 'evaluate',
  summary: 'measure the bits per byte of a model on text, by kind of text',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    { ...dataOption, help: 'text to measure on; each path is one kind of text (default: the held-out text)' },
    textKeyOption,
    {
      flags: '--against <source>',
      help: 'measure a Llama on the same text: `source` for the one that the conversion was made from, or a hub id, a folder or a .gguf file',
    },
    { flags: '--max-bytes <n>', help: 'maximum amount of text per kind', parse: parsers.byteSize, default: 1_048_576 },
    ...engineOptions,
  ],
  examples: [
    'byteify evaluate llama-blt',
    'byteify evaluate llama-blt --data prose/ technical/ --against source',
    'byteify evaluate llama-blt/blt --data prose/ --against org/llama --json',
  ],
  startsOver: true,
  async run(context, args) {
    await startEngineFor(args);
    const { reporter, signal } = context;
    const { dir, data = [], against, textKey, maxBytes } = args;
    const measure = (source: string | null) =>
      evaluateModel({ dir, data, source, textKey, maxBytes, reporter, signal });
    const found = against === undefined ? await measure(null) : await withLlama(dir, against, context, measure);
    const kinds = found.kinds.map(rowOf);
    const quantised = found.sourceQuantisedTypes;
    const document = { kinds, ...(quantised !== null && { source_quantised_types: quantised }) };
    printResult(context, document, () => {
      const columns = quantised === null ? COLUMNS : [...COLUMNS, ...SOURCE_COLUMNS];
      const titles = [{ title: 'text' }, ...columns.map((title) => ({ title, align: 'right' as const }))];
      return renderTable(titles, kinds.map(cellsOf)) + notes(kinds, quantised ?? []);
    });
  },
};
