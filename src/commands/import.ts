/** @module `byteify import`: imports the source into a conversion folder and verifies it. */

import { basename } from 'node:path';
import { openConversion } from '../conversion/index.js';
import { findTorchCheckpoint } from '../import/index.js';
import { importStep } from '../pipeline/import-step.js';
import { torchImport } from '../pipeline/torch-import.js';
import { humanBytes, humanCount, renderPairs, renderTable } from '../ui/index.js';
import { type Command, type Context, printResult } from './command.js';
import { modelAt, type RestartArgs, restartOption, revisionOption } from './shared-options.js';

interface Args extends RestartArgs {
  readonly model: string;
  readonly out?: string;
  readonly revision?: string;
}

export const importCommand: Command<Args> = {
  name: 'import',
  summary: 'import a model from the hub, a local folder or a GGUF file, or take one back from PyTorch',
  arguments: [
    {
      name: 'model',
      help: 'hub id (org/name[@revision]), transformers folder, .gguf file, or the folder of `byteify export --format torch`',
    },
  ],
  options: [
    {
      flags: '--out <dir>',
      help: "the conversion folder, or the BLT folder of a model from PyTorch (default: the model's name with -blt appended)",
    },
    revisionOption,
    restartOption,
  ],
  examples: [
    'byteify import HuggingFaceTB/SmolLM2-135M --out smollm2-blt',
    'byteify import meta-llama/Llama-3.2-1B@main --out llama-blt',
    'byteify import ./smollm2.gguf --out smollm2-blt',
    'byteify import llama-torch --out llama-trained',
  ],
  async run(context, args) {
    const { out = defaultOut(args.model), restartFrom } = args;
    const model = modelAt(args.model, args.revision);
    const trained = await findTorchCheckpoint(model);
    if (trained !== null) return takeBack(context, trained, out);
    const conversion = await openConversion(out, { restartFrom, signal: context.signal });
    try {
      await importStep({ conversion, reporter: context.reporter, signal: context.signal }, model);
      const { revision, license, stages } = conversion.manifest();
      const files = stages.import?.files ?? [];
      const folder = conversion.path('import');
      printResult(context, { model, revision, license, folder, files }, () => {
        const rows = files.map(({ path, size_bytes, sha256 }) => [basename(path), humanBytes(size_bytes), sha256]);
        return (
          renderTable([{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'sha256' }], rows) +
          `\n${folder}\n`
        );
      });
    } finally {
      await conversion.close();
    }
  },
};

async function takeBack(context: Context, checkpoint: string, out: string): Promise<void> {
  const { reporter, signal } = context;
  const { record, report } = await torchImport({ checkpoint, out, reporter, signal });
  const document = {
    folder: out,
    checkpoint,
    steps: record.step,
    bytes: record.bytes,
    parameters: report.parameters,
    weight_bytes: report.weightBytes,
  };
  printResult(context, document, () =>
    renderPairs([
      ['steps', `${record.step.toLocaleString('en')} in PyTorch, on ${humanBytes(record.bytes)} of text`],
      ['parameters', `${humanCount(report.parameters)} in ${report.dtype}`],
      ['folder', out],
    ]),
  );
}

/** `org/SmolLM2-135M@main` and `./SmolLM2-135M.gguf` both become `SmolLM2-135M-blt`. */
function defaultOut(model: string): string {
  return `${basename(model.replace(/@[^/]*$/, '')).replace(/\.gguf$/i, '')}-blt`;
}
