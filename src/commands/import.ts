/** @module `byteify import`: imports the source into a conversion folder and verifies it. */

import { basename } from 'node:path';
import { openConversion } from '../conversion/index.js';
import { importStep } from '../pipeline/import-step.js';
import { humanBytes, renderTable } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import { modelAt, type RestartArgs, restartOption, revisionOption } from './shared-options.js';

interface Args extends RestartArgs {
  readonly model: string;
  readonly out?: string;
  readonly revision?: string;
}

export const importCommand: Command<Args> = {
  name: 'import',
  summary: 'import a model from the hub, a local folder or a GGUF file',
  arguments: [{ name: 'model', help: 'hub id (org/name[@revision]), transformers folder, or .gguf file' }],
  options: [
    { flags: '--out <dir>', help: "the conversion folder (default: the model's name with -blt appended)" },
    revisionOption,
    restartOption,
  ],
  examples: [
    'byteify import HuggingFaceTB/SmolLM2-135M --out smollm2-blt',
    'byteify import meta-llama/Llama-3.2-1B@main --out llama-blt',
    'byteify import ./smollm2.gguf --out smollm2-blt',
  ],
  async run(context, args) {
    const { out = defaultOut(args.model), restartFrom } = args;
    const model = modelAt(args.model, args.revision);
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

/** `org/SmolLM2-135M@main` and `./SmolLM2-135M.gguf` both become `SmolLM2-135M-blt`. */
function defaultOut(model: string): string {
  return `${basename(model.replace(/@[^/]*$/, '')).replace(/\.gguf$/i, '')}-blt`;
}
