/** @module Runs one command line and returns its exit code. */

import { CommanderError } from 'commander';
import { isAbort, UsageError } from '../errors.js';
import { createReporter, type Environment, type OutputStream, printError, type Reporter } from '../ui/index.js';
import { buildProgram, verbOf } from './build-program.js';
import type { Command, Context, Verb } from './command.js';
import { EXIT_CODES, listenForStop, type SignalSource } from './signals.js';

export interface DispatchOptions {
  readonly argv: readonly string[];
  readonly verbs: readonly Verb[];
  readonly version: string;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream & NodeJS.WritableStream;
  readonly env: Environment;
  readonly signals: SignalSource;
  /** Ends the process at once, on the second signal. */
  readonly exit: (code: number) => void;
}

/**
 * Runs a verb. Exit codes: 0 done, 1 failed, 2 wrong usage or recipe, 130 and 143 stopped by SIGINT and SIGTERM.
 * Never rejects: errors are printed to stderr.
 */
export async function dispatch(options: DispatchOptions): Promise<number> {
  const { argv, stdout, stderr, env } = options;
  let reporter: Reporter | null = null;
  let resumable = true;
  const stop = listenForStop({
    source: options.signals,
    exit: options.exit,
    onFirst: () => {
      const text = 'Stopping at the next safe point. Press Ctrl-C again to stop at once.';
      if (reporter === null) stderr.write(`${text}\n`);
      else reporter.note(text);
    },
  });
  const createContext = ({ json, verbose }: { json: boolean; verbose: boolean }, command: Command): Context => {
    resumable = command.startsOver !== true;
    reporter = createReporter({ stream: stderr, env, json });
    return { json, verbose, reporter, stdout: (text) => void stdout.write(text), signal: stop.signal };
  };
  try {
    const program = await buildProgram(argv, {
      verbs: options.verbs,
      version: options.version,
      createContext,
      writeOut: (text) => void stdout.write(text),
      writeError: (text) => void stderr.write(text),
    });
    await program.parseAsync(argv, { from: 'user' });
    closeReporter(reporter, 'done');
    return stopCode(stop.requestedBy()) ?? 0;
  } catch (error) {
    closeReporter(reporter, 'stop');
    // `--verbose` is looked up in the raw arguments, because the error may precede their parsing.
    const print = (shown: unknown) => printError(shown, { stream: stderr, env, verbose: argv.includes('--verbose') });
    const stopped = stopCode(stop.requestedBy());
    if (stopped !== null) {
      const hint = resumable ? ' Run the same command again to resume.' : '';
      if (isAbort(error)) stderr.write(`Stopped by ${stop.requestedBy()}.${hint}\n`);
      else print(error);
      return stopped;
    }
    if (!(error instanceof CommanderError)) return print(error);
    // Help and version also arrive as errors, after their text was printed.
    if (error.exitCode === 0) return 0;
    return error.code === 'commander.help' ? 2 : print(usageError(error, options));
  } finally {
    stop.dispose();
  }
}

function closeReporter(reporter: Reporter | null, how: 'done' | 'stop'): void {
  reporter?.[how]();
}

function stopCode(signal: keyof typeof EXIT_CODES | null): number | null {
  return signal === null ? null : EXIT_CODES[signal];
}

/** commander's `error: unknown option '--jsn'` with `(Did you mean --json?)` on a second line. */
function usageError(error: CommanderError, { argv, verbs }: DispatchOptions): UsageError {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}${first.endsWith('.') ? '' : '.'}`;
  const verb = verbOf(argv, verbs);
  const help = verb === undefined ? 'byteify --help' : `byteify ${verb.name} --help`;
  const hint = suggestion?.replace(/^\((.*)\)$/, '$1') ?? `See \`${help}\`.`;
  return new UsageError(sentence, { hint, cause: error });
}
