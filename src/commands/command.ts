/** @module What a verb is: data that the command line is built from, and a function that does the work. */

import { UsageError } from '../errors.js';
import type { Reporter } from '../ui/index.js';
import { jsonPieces } from './json-pieces.js';

/** What every verb gets from the command line. */
export interface Context {
  /** stdout is one JSON document. */
  readonly json: boolean;
  /** Details and stacks are wanted. */
  readonly verbose: boolean;
  /** Progress, on stderr. */
  readonly reporter: Reporter;
  /** Results; what is given is written as it is, so end lines with a newline. */
  stdout(text: string | Uint8Array): void;
  /** Aborted by the first SIGINT or SIGTERM: checkpoint, then throw `signal.reason` or return. */
  readonly signal: AbortSignal;
}

export interface ArgumentSpec {
  /** The key in `args`, and how help shows it. */
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
  /** One or more values; the key holds an array. Only the last argument can be variadic. */
  readonly variadic?: true;
}

export interface OptionSpec {
  /** As commander reads them: `--out <dir>`, `-q, --quiet`, `--data <path...>`. The key in `args` is the long name in camel case. */
  readonly flags: string;
  readonly help: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly required?: true;
  /** May be given many times; the key holds an array, empty when never given. */
  readonly repeatable?: true;
  /** The environment variable that stands in for the flag. */
  readonly env?: string;
  /** An earlier name of the flag, which is accepted with a warning: `--lanes <n>`. */
  readonly formerly?: string;
  /** From text to value; throws an Error whose message goes on with what the value must be: `must be a positive number`. */
  readonly parse?: (text: string) => unknown;
}

/** A verb. `Args` has one key an argument and an option. */
export interface Command<Args = never> {
  readonly name: string;
  /** One line in the list of verbs. */
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Whole command lines, each shown in --help. */
  readonly examples: readonly string[];
  /** A run that was stopped has left nothing that the same command goes on with. */
  readonly beginsAnew?: true;
  run(context: Context, args: Args): Promise<void>;
}

/** Verbs under a common word: `patcher train`, `patcher calibrate`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** A line of the command table: enough for `byteify --help`; the rest is loaded when the verb is used. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command | CommandGroup>;
}

/** Prints the JSON document with --json, the text otherwise. The text is only made when it is shown. */
export function printResult(context: Context, document: object, text: () => string): void {
  if (!context.json) context.stdout(text());
  else for (const piece of jsonPieces(document)) context.stdout(piece);
}

/** For `OptionSpec.parse`. */
export const parsers = {
  /** An integer of at least `minimum`, and at most `maximum`. */
  integer:
    (minimum = 0, maximum = Number.MAX_SAFE_INTEGER) =>
    (text: string): number => {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= minimum && value <= maximum) return value;
      const range = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
      throw new Error(`must be a whole number ${range}`);
    },
  /** A finite number above zero. */
  positive: (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value) || value <= 0) throw new Error('must be a number above zero');
    return value;
  },
  /** A size: `500MB`, `5GB`, `4GiB`, or plain bytes. */
  byteSize: (text: string): number => {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
    const power = ' kmgt'.indexOf((match?.[2] ?? '').toLowerCase() || ' ');
    const bytes = match === null ? Number.NaN : Math.floor(Number(match[1]) * (match[3] ? 1024 : 1000) ** power);
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new Error('must be a size such as 500MB or 5GB');
    return bytes;
  },
} as const;

/** For a value that a parser refused. */
export function badValue(flag: string, text: string, reason: unknown): UsageError {
  const rule = reason instanceof Error ? reason.message : String(reason);
  return new UsageError(`${flag} ${rule}, not "${text}".`, {
    hint: '`byteify VERB --help` says what each flag takes.',
    cause: reason,
  });
}
