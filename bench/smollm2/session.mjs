// What the benchmarks on SmolLM2's real weights share: their options, the command line that they run, and the text they train on and measure on.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openCorpus } from './corpus.mjs';

/** @param options of this benchmark alone, as `parseArgs` takes them. Ends the process where `--source` is missing. */
export function openSession(options) {
  const { values } = parseArgs({
    options: {
      source: { type: 'string' },
      work: { type: 'string', default: join(tmpdir(), 'byteify-bench-smollm2') },
      out: { type: 'string' },
      ...options,
    },
  });
  if (values.source === undefined) {
    process.stderr.write('error: which weights? --source FILE (the README says where the GGUF is)\n');
    process.exit(2);
  }
  mkdirSync(values.work, { recursive: true });
  const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
  const run = (args, stdout) =>
    execFileSync(process.execPath, [cli, ...args], { stdio: ['ignore', stdout, 'inherit'], maxBuffer: 2 ** 26 });
  const unseen = openCorpus(values.work, 'unseen');
  return {
    ...values,
    corpus: openCorpus(values.work, 'corpus'),
    unseen,
    byteify: (...args) => run(args, 'inherit'),
    /** What the patcher of a model does on text that it was not trained on, by kind of text. */
    evaluatePatcher: (dir) =>
      JSON.parse(run(['patcher', 'evaluate', dir, '--data', ...unseen.folders, '--json'], 'pipe')).kinds,
  };
}
