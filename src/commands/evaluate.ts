/** @module `byteify evaluate`: measures the bits per byte of a model on text. */
import { evaluateModel } from '../evaluate/index.js';
import { renderTable } from '../ui/index.js';
import { type Command, parsers, printResult } from './command.js';
import { dataOption, type EngineArgs, engineOptions, startEngineFor, textKeyOption } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly data?: readonly string[];
  readonly maxBytes: number;
  readonly textKey: string;
}

const COLUMNS = ['documents', 'bytes', 'bits per byte', 'bytes per patch', 'left out'];

export const evaluate: Command<Args> = {
  name: 'evaluate',
  summary: 'measure the bits per byte of a model on text, by kind of text',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    { ...dataOption, help: 'text to measure on; each path is one kind of text (default: the held-out text)' },
    textKeyOption,
    { flags: '--max-bytes <n>', help: 'maximum amount of text per kind', parse: parsers.byteSize, default: 1_048_576 },
    ...engineOptions,
  ],
  examples: ['byteify evaluate llama-blt', 'byteify evaluate llama-blt --data prose/ technical/ --json'],
  startsOver: true,
  async run(context, args) {
    await startEngineFor(args);
    const { reporter, signal } = context;
    const { dir, data = [], textKey, maxBytes } = args;
    const found = await evaluateModel({ dir, data, textKey, maxBytes, reporter, signal });
    const kinds = found.map(({ kind, documents, bytes, bitsPerByte, bytesPerPatch, refused, refusedCount }) => ({
      kind,
      documents,
      bytes,
      bits_per_byte: bitsPerByte,
      bytes_per_patch: bytesPerPatch,
      refused,
      refused_count: refusedCount,
    }));
    printResult(context, { kinds }, () =>
      renderTable(
        [{ title: 'text' }, ...COLUMNS.map((title) => ({ title, align: 'right' as const }))],
        kinds.map((row) => [
          row.kind,
          row.documents.toLocaleString('en'),
          row.bytes.toLocaleString('en'),
          row.bits_per_byte?.toFixed(4) ?? '',
          row.bytes_per_patch?.toFixed(2) ?? '',
          row.refused_count.toLocaleString('en'),
        ]),
      ),
    );
  },
};
