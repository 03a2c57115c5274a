/** @module The types of a verb: the data from which the command line is built, and the function that does the work. */

import { UsageError } from '../errors.js';
import type { Part } from '../part.js';
import type { Reporter } from '../ui/index.js';
import { jsonFragments } from './json-fragments.js';

/** What every verb gets from the command line. */
export interface Context {
  /** Whether stdout is one JSON document. */
  readonly json: boolean;
  /** Whether to print details and stack traces. */
  readonly verbose: boolean;
  /** Progress, on stderr. */
  readonly reporter: Reporter;
  /** Writes results to stdout verbatim; the caller ends lines with a newline. */
  stdout(text: string | Uint8Array): void;
  /** Aborted by the first SIGINT or SIGTERM: checkpoint, then throw `signal.reason` or return. */
  readonly signal: AbortSignal;
}

export interface ArgumentSpec {
  /** The key in `args`, and the name in the help text. */
  readonly name: string;
  readonly help: string;
  readonly optional?: true;
  /** Takes one or more values; the key holds an array. Only the last argument can be variadic. */
  readonly variadic?: true;
}

export interface OptionSpec {
  /** In commander's syntax: `--out <dir>`, `-q, --quiet`, `--data <path...>`. The key in `args` is the long name in camel case. */
  readonly flags: string;
  readonly help: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
  readonly required?: true;
  /** The option may be given many times; the key holds an array, which is empty by default. */
  readonly repeatable?: true;
  /** The environment variable that is read when the flag is absent. */
  readonly env?: string;
  /** A former name of the flag, which is accepted with a warning. */
  readonly formerly?: string;
  /** Converts the text to the value. Throws an Error whose message says what the value must be: `must be a positive number`. */
  readonly parse?: (text: string) => unknown;
}

/** A verb. `Args` has one key per argument and option. */
export interface Command<Args = never> {
  readonly name: string;
  /** One line in the list of verbs. */
  readonly summary: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** Whole command lines, each shown in --help. */
  readonly examples: readonly string[];
  /** A stopped run of this verb cannot be resumed: the same command starts over. */
  readonly startsOver?: true;
  run(context: Context, args: Args): Promise<void>;
}

/** Verbs that share their first word: `patcher train`, `patcher calibrate`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** An entry of the command table. It holds what `byteify --help` prints; the rest is loaded when the verb is used. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  /** Trains or runs a model. */
  readonly computes?: true;
  load(): Promise<Command | CommandGroup>;
}

/** Prints the JSON document with --json, the text otherwise. The text is built only when it is shown. */
export function printResult(context: Context, document: object, text: () => string): void {
  if (!context.json) context.stdout(text());
  else for (const fragment of jsonFragments(document)) context.stdout(fragment);
}

/** As many as folder names with five digits can number. */
const MAX_PARTS = 100_000;

/** Parsers for `OptionSpec.parse`. */
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
  /** A mean patch size in bytes, from 1 to 1024. */
  patchSize: (text: string): number => {
    const bytes = text.trim() === '' ? Number.NaN : Number(text);
    if (!(bytes >= 1 && bytes <= 1024)) throw new Error('must be bytes per patch from 1 to 1024');
    return bytes;
  },
  /** A part and the number of parts: `0/8` to `7/8`. */
  part: (text: string): Part => {
    const [, part = Number.NaN, parts = Number.NaN] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
    if (part < parts && parts <= MAX_PARTS) return { part, parts };
    throw new Error('must be a part and the number of parts, counted from 0, as in 0/8 to 7/8');
  },
  /** A size in bytes: `500MB`, `5GB`, `4GiB`, or a plain number. */
  byteSize: (text: string): number => {
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
    const power = ' kmgt'.indexOf((match?.[2] ?? '').toLowerCase() || ' ');
    const bytes = match === null ? Number.NaN : Math.floor(Number(match[1]) * (match[3] ? 1024 : 1000) ** power);
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new Error('must be a size such as 500MB or 5GB');
    return bytes;
  },
} as const;

/** The error for a value that a parser rejected. */
export function badValue(flag: string, text: string, reason: unknown): UsageError {
  const rule = reason instanceof Error ? reason.message : String(reason);
  return new UsageError(`${flag} ${rule}, not "${text}".`, {
    hint: 'Run `byteify VERB --help` to see what each flag accepts.',
    cause: reason,
  });
}
