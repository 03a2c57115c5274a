/** @module `byteify evaluate`: measures a model by suites, alone or beside its source. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { evaluationFolder, MANIFEST_NAME } from '../conversion/index.js';
import { cacheHome } from '../engine/setup/folders.js';
import { UsageError } from '../errors.js';
import { type ChosenSuite, type EvaluateOptions, evaluatePart, evaluateSuites, SUITES } from '../evaluate/index.js';
import { digestOf } from '../fs/index.js';
import type { Part } from '../part.js';
import { recordEvaluation, withLlama } from '../pipeline/index.js';
import { type Command, type Context, parsers, printResult } from './command.js';
import { evaluationTables } from './evaluation-tables.js';
import { dataOption, type EngineArgs, engineOptions, startEngineFor, textKeyOption } from './shared-options.js';

interface Args extends EngineArgs {
  readonly dir: string;
  readonly suite: readonly string[];
  readonly data?: readonly string[];
  readonly against?: string;
  readonly limit: number;
  readonly maxBytes: number;
  readonly seed: number;
  readonly textKey: string;
  readonly set: readonly string[];
  readonly shard?: Part;
  readonly out?: string;
}

const NAMES = SUITES.map(({ name }) => name);

/** Settings given as `suite.key=value`, by suite. @throws UsageError for another form, or a setting that no chosen suite has */
function chosenSuites(names: readonly string[], given: readonly string[]): ChosenSuite[] {
  const chosen = SUITES.filter(({ name }) => names.includes(name)).map((suite) => ({
    suite,
    settings: { ...suite.settings } as Record<string, string>,
  }));
  for (const text of given) {
    const [, name, key, value] = /^([^.=]+)\.([^.=]+)=(.*)$/.exec(text) ?? [];
    const target = chosen.find(({ suite }) => suite.name === name);
    if (target !== undefined && Object.hasOwn(target.settings, key!)) {
      target.settings[key!] = value!;
      continue;
    }
    const known = chosen.flatMap(({ suite, settings }) => Object.keys(settings).map((one) => `${suite.name}.${one}`));
    throw new UsageError(`--set ${text} names no setting of a suite that runs.`, {
      hint: known.length === 0 ? 'The suites that run have no settings.' : `Settings are ${known.join(', ')}.`,
    });
  }
  return chosen;
}

/** @throws UsageError where --data is missing, or no suite reads it */
function checkData(suites: readonly ChosenSuite[], data: readonly string[]): void {
  const missing = suites.find(({ suite }) => suite.data !== null && suite.dataIsOptional !== true);
  if (data.length === 0 && missing !== undefined)
    throw new UsageError(`The suite ${missing.suite.name} needs --data: ${missing.suite.data}.`);
  const idle = suites.find(({ suite }) => suite.data === null);
  if (data.length > 0 && idle !== undefined)
    throw new UsageError(`The suite ${idle.suite.name} makes its own items and reads no --data.`, {
      hint: 'Run it without --data, apart from suites that read it.',
    });
}

/** Where answers are kept: in a conversion, or in the cache for a folder that is only a checkpoint. */
const placeOf = (dir: string, out: string | undefined): string => {
  if (out !== undefined) return out;
  if (existsSync(join(dir, MANIFEST_NAME))) return evaluationFolder(dir);
  return join(cacheHome(), 'evaluations', digestOf(resolve(dir)).slice(0, 12));
};

/** Starts the engine and opens the source, if there is one, for `work`. */
async function withModels<T>(
  args: Args,
  out: string,
  context: Context,
  work: (options: EvaluateOptions) => Promise<T>,
): Promise<T> {
  const { dir, data = [], against, limit, maxBytes, seed, textKey, set } = args;
  const suites = chosenSuites(args.suite, set);
  checkData(suites, data);
  await startEngineFor(args);
  const { reporter, signal } = context;
  const run = (folder: string | null) =>
    work({
      ...{ dir, data, limit, maxBytes, seed, textKey, suites, out, reporter, signal },
      source: folder === null ? null : { name: against!, folder },
    });
  return against === undefined ? await run(null) : await withLlama(dir, against, context, run);
}

/** Answers a part of the items, and prints what remains to do. */
async function runPart(context: Context, args: Args, out: string, shard: Part): Promise<void> {
  const folder = await withModels(args, out, context, (options) => evaluatePart(options, shard));
  printResult(context, { ...shard, folder, complete: false }, () =>
    [
      `Part ${shard.part} of ${shard.parts}, counted from 0, is answered: ${folder}`,
      'When all parts are, the same command without --shard computes the results.',
      '',
    ].join('\n'),
  );
}

export const evaluate: Command<Args> = {
  name: 'evaluate',
  summary: 'measure a model by suites, alone or beside its source',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    {
      flags: '--suite <name...>',
      help: `what to measure; ${SUITES.map(({ name, summary }) => `${name}: ${summary}`).join('; ')}`,
      choices: NAMES,
      default: ['bpb'],
    },
    {
      ...dataOption,
      help: 'what the suites read: text, each path one kind (default: the held-out text), or their own files',
    },
    textKeyOption,
    {
      flags: '--against <source>',
      help: 'measure a Llama on the same items: `source` for the one that the conversion was made from, or a hub id, a folder or a .gguf file',
    },
    { flags: '--limit <n>', help: 'maximum items of each task', parse: parsers.integer(1), default: 100 },
    { flags: '--max-bytes <n>', help: 'maximum amount of text per kind', parse: parsers.byteSize, default: 1_048_576 },
    { flags: '--seed <n>', help: 'seed of items that suites make or draw', parse: parsers.integer(), default: 1 },
    {
      flags: '--set <suite.key=value>',
      help: 'a setting of a suite, for example choice.shots=5 or noise.drop=0.2',
      repeatable: true,
    },
    {
      flags: '--out <dir>',
      help: 'folder of answers and results (default: `evaluation` in the conversion); results elsewhere are not recorded in the conversion',
    },
    {
      flags: '--shard <i/n>',
      help: 'answer one of n parts of the items, counted from 0, as several processes or a job array do; the same command without this flag then computes the results',
      parse: parsers.part,
    },
    ...engineOptions,
  ],
  examples: [
    'byteify evaluate llama-blt',
    'byteify evaluate llama-blt --data prose/ technical/ --against source',
    'byteify evaluate llama-blt --suite cute choice bias --against source --limit 50',
    'byteify evaluate llama-blt --suite choice --data hellaswag.jsonl --set choice.noise=all --against source --json',
  ],
  async run(context, args) {
    const out = placeOf(args.dir, args.out);
    if (args.shard !== undefined) return await runPart(context, args, out, args.shard);
    const suites = await withModels(args, out, context, evaluateSuites);
    if (resolve(out) === resolve(evaluationFolder(args.dir))) await recordEvaluation(args.dir, out, suites);
    printResult(context, { suites }, () => suites.map(evaluationTables).join('\n'));
  },
};
