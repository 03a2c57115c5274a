/** @module `byteify generate`: writes what follows a prompt. */
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
    throw new UsageError('--prompt and --prompt-file are two prompts.', { hint: 'Give one of them.' });
  return prompt === undefined
    ? await readInput(promptFile, 'Give --prompt TEXT or --prompt-file FILE, or pipe a prompt in.')
    : new TextEncoder().encode(prompt);
}

async function promptOf(args: Args, folder: string): Promise<Prompt> {
  const bytes = await promptBytes(args);
  if (args.chat !== true) {
    if (args.system === undefined) return textPrompt(bytes);
    throw new UsageError('--system belongs to a conversation.', { hint: 'Add --chat.' });
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

/** A text that was written to its end. */
interface Written {
  readonly bytes: Uint8Array;
  readonly finish: string | null;
  /** Bytes that came after its first ones, and in how many milliseconds. */
  readonly timed: { readonly bytes: number; readonly ms: number };
}

/** @param show takes bytes as they come; false where nobody looks any more */
async function collect(text: AsyncIterable<WrittenBytes>, show: (bytes: Uint8Array) => boolean): Promise<Written> {
  const pieces: Uint8Array[] = [];
  let finish: string | null = null;
  let first: number | null = null;
  let ms = 0;
  for await (const written of text) {
    first ??= performance.now();
    ms = performance.now() - first;
    pieces.push(written.bytes);
    finish = written.finish;
    if (!show(written.bytes)) break;
  }
  const bytes = Buffer.concat(pieces);
  return { bytes, finish, timed: { bytes: bytes.length - (pieces[0]?.length ?? 0), ms } };
}

const asText = (bytes: Uint8Array, invalid: (byte: number) => string): string => {
  const shown = createShownText(invalid);
  return shown.push(bytes) + shown.end();
};

/** Bytes a second of all samples together, over the time of the slowest; null where no byte was timed. */
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

/** One text is shown as it comes; several, each when all are there. */
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
  summary: 'write what follows a prompt',
  arguments: [{ name: 'dir', help: 'a conversion or a BLT checkpoint folder' }],
  options: [
    { flags: '--prompt <text>', help: 'what the text begins with; without it and --prompt-file, standard input' },
    { flags: '--prompt-file <file>', help: 'a file that the text begins with: any bytes' },
    { flags: '--chat', help: 'the prompt is a message, put into the chat template of the source' },
    { flags: '--system <text>', help: 'with --chat: the system message before it' },
    ...samplingOptions,
    {
      flags: '--samples <n>',
      help: 'texts to write at once, seeded one after the other',
      parse: parsers.integer(1, MAXIMUM_SAMPLES),
      default: 1,
    },
    {
      flags: '--bytes',
      help: 'write the bytes as they are; else those that are no UTF-8, and control characters, are shown as \\xNN',
    },
    {
      flags: '--draft <n>',
      help: 'draft up to n bytes of a patch by the patcher and read them in one step: the text stays what it is',
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
  beginsAnew: true,
  async run(context, args) {
    const { reporter, signal } = context;
    if (args.bytes === true && args.samples > 1 && !context.json)
      throw new UsageError('--bytes writes one text.', { hint: 'Leave --samples out, or take --json.' });
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
    const options = { lanes: args.samples, draft: args.draft, expectedBytes };
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
