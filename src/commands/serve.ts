/** @module `byteify serve`: a model behind HTTP. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { textPositions } from '../blt/index.js';
import { resolveCheckpoint } from '../conversion/index.js';
import { messageOf, UsageError } from '../errors.js';
import { openChatPrompts } from '../generate/index.js';
import { readBltConfig } from '../model/index.js';
import {
  addressOf,
  createApp,
  createTexts,
  type Limits,
  openListener,
  readPage,
  STREAM_LIMITS,
} from '../serve/index.js';
import { type Command, parsers, printResult } from './command.js';
import { type EngineArgs, engineOptions, type WeightsArgs, weightsOption } from './shared-options.js';
import { withGenerator } from './with-generator.js';

interface Args extends EngineArgs, WeightsArgs {
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly apiKeyFile?: string;
  readonly name?: string;
  readonly lanes: number;
  readonly maxWaiting: number;
  readonly maxBytes: number;
  readonly maxPromptBytes: number;
  readonly maxBody: number;
  readonly timeLimit: number;
  readonly grace: number;
}

const MAXIMUM_LANES = 64;
const MAXIMUM_PORT = 65_535;
/** What timers of Node can wait, in seconds. */
const MAXIMUM_SECONDS = 86_400;
const KEY_VARIABLE = 'BYTEIFY_API_KEY';

/** The key that clients must send, or null. Never from the command line, which every process of the machine can read. */
async function readKey({ apiKeyFile }: Args): Promise<string | null> {
  const given = process.env[KEY_VARIABLE];
  if (apiKeyFile !== undefined && given !== undefined)
    throw new UsageError(`--api-key-file and ${KEY_VARIABLE} are two keys.`, { hint: 'Give one of them.' });
  const from = apiKeyFile ?? KEY_VARIABLE;
  const text =
    apiKeyFile === undefined
      ? given
      : await readFile(apiKeyFile, 'utf8').catch((cause) => {
          throw new UsageError(`The key's file cannot be read: ${messageOf(cause)}.`, { cause });
        });
  if (text === undefined) return null;
  const key = text.trim();
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new UsageError(`${from} holds no key.`, {
    hint: 'A key is one word of letters, digits and signs: openssl rand -hex 32 makes one.',
  });
}

/** @param positions of a text that the model is made for: BOS, prompt and what follows, at least a byte */
const limitsOf = (args: Args, positions: number): Limits => ({
  bodyBytes: args.maxBody,
  promptBytes: Math.min(args.maxPromptBytes, positions - 2),
  textBytes: Math.min(args.maxBytes, positions - 1),
  waiting: args.maxWaiting,
  requestMs: args.timeLimit * 1000,
  ...STREAM_LIMITS,
});

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((stop) => {
    if (signal.aborted) stop();
    else signal.addEventListener('abort', () => stop(), { once: true });
  });

export const serve: Command<Args> = {
  name: 'serve',
  summary: 'answer requests over HTTP as OpenAI’s completions do, and show a page to try it',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    {
      flags: '--host <host>',
      help: 'where to listen; what is not this machine alone needs a key',
      default: '127.0.0.1',
    },
    { flags: '--port <n>', help: '0 takes a free one', parse: parsers.integer(0, MAXIMUM_PORT), default: 8080 },
    {
      flags: '--api-key-file <file>',
      help: `holds the key that clients must send; or the variable ${KEY_VARIABLE} does`,
    },
    { flags: '--name <name>', help: 'what clients call the model; by default the folder’s name' },
    {
      flags: '--lanes <n>',
      help: 'texts that are written at the same time; further ones wait',
      parse: parsers.integer(1, MAXIMUM_LANES),
      default: 8,
    },
    {
      flags: '--max-waiting <n>',
      help: 'texts that may wait; further ones are sent away for a while',
      parse: parsers.integer(),
      default: 64,
    },
    { flags: '--max-bytes <n>', help: 'the most bytes of a text', parse: parsers.integer(1), default: 4096 },
    { flags: '--max-prompt-bytes <n>', help: 'the most bytes of a prompt', parse: parsers.integer(0), default: 8192 },
    { flags: '--max-body <size>', help: 'the largest body of a request', parse: parsers.byteSize, default: 1_048_576 },
    {
      flags: '--time-limit <seconds>',
      help: 'a request’s time, waiting included; its text ends then',
      parse: parsers.integer(1, MAXIMUM_SECONDS),
      default: 300,
    },
    {
      flags: '--grace <seconds>',
      help: 'what texts get to end when the server is stopped',
      parse: parsers.integer(0, MAXIMUM_SECONDS),
      default: 5,
    },
    weightsOption,
    ...engineOptions,
  ],
  examples: [
    'byteify serve llama-blt',
    'byteify serve llama-blt --port 0 --json',
    'byteify serve llama-blt --host 0.0.0.0 --api-key-file key.txt',
  ],
  beginsAnew: true,
  async run(context, args) {
    const { reporter, signal } = context;
    const key = await readKey(args);
    const { loopback } = await addressOf(args.host);
    if (!loopback && key === null)
      throw new UsageError(`${args.host} can be reached by others, so a key is needed.`, {
        hint: `Put one into a file and name it with --api-key-file, or set ${KEY_VARIABLE}.`,
      });
    const { folder } = await resolveCheckpoint(args.dir);
    const limits = limitsOf(args, textPositions(await readBltConfig(folder)));
    const chat = await openChatPrompts(folder);
    const page = await readPage();
    const listener = await openListener({ host: args.host, port: args.port, requestMs: limits.requestMs });
    try {
      await withGenerator(context, args, folder, { lanes: args.lanes }, async (generator) => {
        const texts = createTexts(generator, limits);
        const modelName = args.name ?? basename(resolve(args.dir));
        const app = createApp({
          ...{ generator, texts, chat, modelName, limits, key, page },
          loopbackHost: loopback ? args.host : null,
          onFailure: (error) => reporter.warn(messageOf(error)),
        });
        listener.serve(app.fetch);
        const { url } = listener;
        printResult(context, { url, model: modelName, lanes: args.lanes, key: key !== null }, () => `${url}\n`);
        await untilAborted(signal);
        await texts.stop(args.grace * 1000);
      });
    } finally {
      chat?.close();
      await listener.close();
    }
  },
};
