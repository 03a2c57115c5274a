/** @module `byteify report`: writes one page about a conversion. */
import { resolve } from 'node:path';
import { writeReport } from '../report/index.js';
import { type Command, printResult } from './command.js';
import { type EngineArgs, engineOptions, startEngineFor } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly out?: string;
  /** False with --no-model. */
  readonly model: boolean;
}

export const report: Command<Args> = {
  name: 'report',
  summary: 'write one page about a conversion: curves, suites, patches, samples',
  arguments: [{ name: 'dir', help: 'a conversion folder' }],
  options: [
    { flags: '--out <file>', help: 'the page’s file (default: report.html in the conversion)' },
    { flags: '--no-model', help: 'leave out patches and samples, for which the model is run' },
    ...engineOptions,
  ],
  examples: ['byteify report llama-blt', 'byteify report llama-blt --no-model --out page.html'],
  startsOver: true,
  async run(context, args) {
    const { reporter } = context;
    if (args.model) await startEngineFor(args);
    reporter.stage('Writing the report');
    const path = await writeReport(args.dir, { out: args.out, withModel: args.model });
    reporter.done();
    printResult(context, { report: resolve(path) }, () => `${path}\n`);
  },
};
