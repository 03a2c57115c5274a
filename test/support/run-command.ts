import { Writable } from 'node:stream';
import type { Command, Context } from '../../src/commands/command.js';
import { createReporter } from '../../src/ui/index.js';

/** Runs a verb in this process, and returns its output and the error that it threw. */
export async function runCommand<Args>(
  command: Command<Args>,
  args: Args,
  options: { json?: boolean; signal?: AbortSignal } = {},
): Promise<{ stdout: string; stderr: string; error: unknown }> {
  let stdout = '';
  let stderr = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      stderr += chunk;
      done();
    },
  });
  const json = options.json ?? false;
  const context: Context = {
    json,
    verbose: false,
    reporter: createReporter({ stream, env: {}, json }),
    stdout(text) {
      stdout += text;
    },
    signal: options.signal ?? new AbortController().signal,
  };
  const error = await command.run(context, args).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { stdout, stderr, error };
}
