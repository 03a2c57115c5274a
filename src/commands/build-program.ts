/** @module Builds a commander program from the command table. A verb's module is loaded only when the command line names it. */

import { Command as Commander, Option } from 'commander';
import { badValue, type Command, type CommandGroup, type Context, type OptionSpec, type Verb } from './command.js';

export interface ProgramOptions {
  readonly verbs: readonly Verb[];
  readonly version: string;
  /** Called when a verb runs, because the flags are known only then. */
  createContext(flags: { json: boolean; verbose: boolean }, command: Command): Context;
  writeOut(text: string): void;
  writeError(text: string): void;
}

/**
 * Builds the program for one command line.
 * @param argv without `node` and the script
 */
export async function buildProgram(argv: readonly string[], options: ProgramOptions): Promise<Commander> {
  const program = new Commander('byteify')
    .description('Turns a pretrained Llama into a byte-level BLT: import, remap, fine-tune, export.')
    .version(options.version)
    .option('--json', 'print the result as one JSON document')
    .option('--verbose', 'print more detail, and the stack trace of an error')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: options.writeOut,
      writeErr: options.writeError,
      // The message also arrives as a CommanderError, which is printed like every other error.
      outputError: () => undefined,
    })
    .exitOverride();
  const named = verbOf(argv, options.verbs);
  for (const verb of options.verbs) {
    if (verb !== named) {
      program.command(verb.name).description(verb.summary);
      continue;
    }
    const loaded = await verb.load();
    if ('commands' in loaded) addGroup(program, loaded, options);
    else addCommand(program, loaded, options);
  }
  return program;
}

/** The program's own options take no value, so the first word without a dash is the verb; in `help VERB` it is the second. */
function namedVerb(argv: readonly string[]): string | undefined {
  const words = argv.filter((word) => !word.startsWith('-'));
  return words[0] === 'help' ? words[1] : words[0];
}

/** The verb that a command line names; undefined if it names none. */
export function verbOf(argv: readonly string[], verbs: readonly Verb[]): Verb | undefined {
  const named = namedVerb(argv);
  return verbs.find(({ name }) => name === named);
}

function addGroup(parent: Commander, group: CommandGroup, options: ProgramOptions): void {
  const added = parent.command(group.name).description(group.summary);
  for (const command of group.commands) addCommand(added, command, options);
}

function addCommand(parent: Commander, command: Command, options: ProgramOptions): void {
  const added = parent.command(command.name).description(command.summary);
  for (const { name, help, optional, variadic } of command.arguments) {
    const shown = variadic ? `${name}...` : name;
    added.argument(optional ? `[${shown}]` : `<${shown}>`, help);
  }
  for (const spec of command.options) {
    added.addOption(toOption(spec));
    if (spec.formerly !== undefined) added.addOption(toOption(formerSpec(spec, spec.formerly)).hideHelp());
  }
  if (command.examples.length > 0) {
    added.addHelpText('after', `\nExamples:\n${command.examples.map((line) => `  $ ${line}\n`).join('')}`);
  }
  added.action(async () => {
    const named = command.arguments.map(({ name }, index) => [name, added.processedArgs[index]] as const);
    const { json = false, verbose = false } = added.optsWithGlobals<{ json?: boolean; verbose?: boolean }>();
    const context = options.createContext({ json, verbose }, command);
    const args = { ...Object.fromEntries(named), ...added.opts(), ...underNewNames(command, added, context) };
    // `Command` declares which keys `run` takes, and the specs above provide them.
    await command.run(context, args as never);
  });
}

/** The option under its former name: it accepts the same values but has no default. */
function formerSpec({ help, parse }: OptionSpec, flags: string): OptionSpec {
  return { flags, help, ...(parse !== undefined && { parse }) };
}

/** Maps the options that were given under a former name to their current names, with a warning for each. */
function underNewNames({ options }: Command, added: Commander, { reporter }: Context): Record<string, unknown> {
  const renamed: Record<string, unknown> = {};
  for (const { flags, formerly } of options) {
    if (formerly === undefined) continue;
    const [former, now] = [new Option(formerly), new Option(flags)];
    const value: unknown = added.getOptionValue(former.attributeName());
    if (value === undefined) continue;
    reporter.warn(`${former.long} has been renamed to ${now.long}.`);
    renamed[now.attributeName()] = value;
  }
  return renamed;
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.help);
  if (spec.choices !== undefined) option.choices([...spec.choices]);
  if (spec.repeatable) option.default([], 'none');
  else if (spec.default !== undefined) option.default(spec.default);
  if (spec.env !== undefined) option.env(spec.env);
  if (spec.required) option.makeOptionMandatory();
  const { parse = (text: string) => text, repeatable } = spec;
  if (spec.parse !== undefined || repeatable) {
    option.argParser((text: string, previous: unknown) => {
      const value = parseValue(option.long ?? spec.flags, text, parse);
      if (!repeatable && !option.variadic) return value;
      return previous === undefined ? [value] : [...(previous as unknown[]), value];
    });
  }
  return option;
}

function parseValue(flag: string, text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw badValue(flag, text, error);
  }
}
