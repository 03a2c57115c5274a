/** @module `byteify generate`: generates text after a prompt. */
import { resolveCheckpoint } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import {
  createShownText,
  escapedByte,
  openChatPrompts,
  type Prompt,
  replacedByte,
  requireChat,
  textPrompt,
  type WrittenBytes,
} from '../generate/index.js';
import { withoutControls } from '../ui/index.js';
import { type Command, type Context, parsers, printResult } from './command.js';
import { readInput } from './read-input.js';
import { type SamplingArgs, samplingOf, samplingOptions, stopsOf } from './sampling-options.js';
import { type EngineArgs, engineOptions, type WeightsArgs, weightsOption } from './shared-options.js';
import { withGenerator } from './with-generator.js';

interface Args extends EngineArgs, SamplingArgs, WeightsArgs {
  readonly dir: string;
  readonly prompt?: string;
  readonly promptFile?: string;
  readonly chat?: boolean;
  readonly system?: string;
  readonly samples: number;
  readonly draft: number;
  readonly bytes?: boolean;
}

const MAXIMUM_SAMPLES = 64;
const MAXIMUM_DRAFT = 64;

async function promptBytes({ prompt, promptFile }: Args): Promise<Uint8Array> {
  if (prompt !== undefined && promptFile !== undefined)
    throw new UsageError('--prompt and --prompt-file cannot be combined.', { hint: 'Give one of them.' });
  return prompt === undefined
    ? await readInput(promptFile, 'Give --prompt TEXT or --prompt-file FILE, or pipe a prompt in.')
    : new TextEncoder().encode(prompt);
}

async function promptOf(args: Args, folder: string): Promise<Prompt> {
  const bytes = await promptBytes(args);
  if (args.chat !== true) {
    if (args.system === undefined) return textPrompt(bytes);
    throw new UsageError('--system applies only to a conversation.', { hint: 'Add --chat.' });
  }
  const content = new TextDecoder().decode(bytes);
  const system = args.system === undefined ? [] : [{ role: 'system', content: args.system }];
  const chat = requireChat(await openChatPrompts(folder), args.dir);
  try {
    return await chat.promptOf([...system, { role: 'user', content }]);
  } finally {
    chat.close();
  }
}

/** A finished text. */
interface Written {
  readonly bytes: Uint8Array;
  readonly finish: string | null;
  /** The bytes after the first delivery, and how many milliseconds they took. */
  readonly timed: { readonly bytes: number; readonly ms: number };
}

/** @param show gets the bytes as they are generated; returns false once the output is closed */
async function collect(text: AsyncIterable<WrittenBytes>, show: (bytes: Uint8Array) => boolean): Promise<Written> {
  const parts: Uint8Array[] = [];
  let finish: string | null = null;
  let first: number | null = null;
  let ms = 0;
  for await (const written of text) {
    first ??= performance.now();
    ms = performance.now() - first;
    parts.push(written.bytes);
    finish = written.finish;
    if (!show(written.bytes)) break;
  }
  const bytes = Buffer.concat(parts);
  return { bytes, finish, timed: { bytes: bytes.length - (parts[0]?.length ?? 0), ms } };
}

const asText = (bytes: Uint8Array, invalid: (byte: number) => string): string => {
  const shown = createShownText(invalid);
  return shown.push(bytes) + shown.end();
};

/** Bytes per second of all samples together, over the time of the slowest; null if no byte was timed. */
function rateOf(samples: readonly Written[]): number | null {
  const ms = Math.max(...samples.map(({ timed }) => timed.ms));
  const bytes = samples.reduce((sum, { timed }) => sum + timed.bytes, 0);
  return ms === 0 || bytes === 0 ? null : (bytes / ms) * 1000;
}

function documentOf(samples: readonly Written[], seed: number): object {
  const parts = samples.map(({ bytes, finish }, i) => ({
    text: asText(bytes, replacedByte),
    bytes: Array.from(bytes),
    finish_reason: finish,
    seed: seed + i,
  }));
  const rate = { bytes_per_second: rateOf(samples) };
  return parts.length === 1 ? { ...parts[0], ...rate } : { samples: parts, ...rate };
}

/** Shows a single text as it is generated; returns several once all are finished. */
async function show(context: Context, texts: readonly AsyncIterable<WrittenBytes>[], args: Args): Promise<Written[]> {
  if (context.json || texts.length > 1) return await Promise.all(texts.map((text) => collect(text, () => true)));
  const shown = createShownText(escapedByte);
  const sample = await collect(texts[0]!, (bytes) => {
    context.stdout(args.bytes === true ? bytes : withoutControls(shown.push(bytes)));
    // `byteify generate ... | head` has closed the pipe.
    return process.stdout.writable;
  });
  if (args.bytes !== true) context.stdout(`${shown.end()}\n`);
  return [sample];
}

export const generate: Command<Args> = {
  name: 'generate',
  summary: 'generate text after a prompt',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    { flags: '--prompt <text>', help: 'the prompt (default: --prompt-file, else standard input)' },
    { flags: '--prompt-file <file>', help: 'a file that contains the prompt, as raw bytes' },
    { flags: '--chat', help: 'treat the prompt as a user message in the source’s chat template' },
    { flags: '--system <text>', help: 'with --chat: the system message' },
    ...samplingOptions,
    {
      flags: '--samples <n>',
      help: 'number of texts to generate at once, with consecutive seeds',
      parse: parsers.integer(1, MAXIMUM_SAMPLES),
      default: 1,
    },
    {
      flags: '--bytes',
      help: 'write raw bytes; by default invalid UTF-8 and control characters are shown as \\xNN',
    },
    {
      flags: '--draft <n>',
      help: 'let the patcher draft up to n bytes of a patch, which the model reads in one step; the text stays the same',
      parse: parsers.integer(0, MAXIMUM_DRAFT),
      default: 0,
    },
    weightsOption,
    ...engineOptions,
  ],
  examples: [
    'byteify generate llama-blt --prompt "The byte is"',
    'echo "What is a byte?" | byteify generate llama-blt --chat --temperature 0',
    'byteify generate llama-blt --prompt "1, 2, 3" --samples 4 --json',
  ],
  startsOver: true,
  async run(context, args) {
    const { reporter, signal } = context;
    if (args.bytes === true && args.samples > 1 && !context.json)
      throw new UsageError('--bytes writes only one text.', { hint: 'Leave --samples out, or add --json.' });
    const { folder } = await resolveCheckpoint(args.dir);
    const prompt = await promptOf(args, folder);
    const request = {
      prompt: prompt.ids,
      maxBytes: args.maxBytes,
      sampling: samplingOf(args),
      seed: args.seed,
      stops: [...prompt.stops, ...stopsOf(args)],
    };
    const expectedBytes = prompt.ids.length + args.maxBytes;
    const options = { slots: args.samples, draft: args.draft, expectedBytes };
    await withGenerator(context, args, folder, options, async (generator) => {
      reporter.stop();
      const samples = await show(context, generator.generate(request, { samples: args.samples, signal }), args);
      if (context.json || samples.length > 1) {
        printResult(context, documentOf(samples, args.seed), () =>
          samples
            .map(({ bytes }, i) => `--- seed ${args.seed + i}\n${withoutControls(asText(bytes, escapedByte))}\n`)
            .join(''),
        );
      }
      const rate = rateOf(samples);
      if (rate !== null) reporter.note(`${rate.toFixed(1)} bytes/s`);
    });
  },
};
