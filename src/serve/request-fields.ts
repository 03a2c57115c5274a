/** @module The fields that both kinds of request have, with OpenAI's names; lengths are in bytes. */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { GenerationRequest, Prompt } from '../generate/index.js';
import { ApiError } from './api-error.js';
import type { Limits } from './limits.js';

/** What a request asks for, whatever its kind. */
export interface TextRequest {
  readonly generation: GenerationRequest;
  readonly samples: number;
  /** Text is sent as it comes. */
  readonly stream: boolean;
  /** With a stream: the counts of bytes at its end. */
  readonly includeUsage: boolean;
  /** Each byte comes with its entropy, and whether it begins a patch. */
  readonly patches: boolean;
}

/** What is written where a request does not say how much. */
const DEFAULT_TEXT_BYTES = 256;
const MAXIMUM_STOPS = 4;
/** Each byte that is written is compared with them. */
const MAXIMUM_STOP_CHARACTERS = 256;
/** More than there are bytes, and small enough that no count derived from it overflows. */
const MAXIMUM_TOP_K = 2 ** 16;

/** Null stands for left out, as in OpenAI's interface. */
const or = <T>(schema: z.ZodType<T>, fallback: T) =>
  z
    .nullish(schema)
    .transform((value) => value ?? fallback)
    .prefault(null);

/**
 * An array whose length is checked before its elements are: a body of a megabyte holds hundreds of thousands of them, and each that is wrong
 * would become an issue of its own.
 */
export const shortArray = <T extends z.ZodType>(element: T, length: { min?: number; max: number }) =>
  z
    .array(z.unknown())
    .min(length.min ?? 0)
    .max(length.max)
    .pipe(z.array(element));

const stopText = z.string().min(1).max(MAXIMUM_STOP_CHARACTERS);

/** A field that would change what comes, and that only values are taken of which leave it as it is. */
export const refused = (...neutral: readonly unknown[]) =>
  z
    .unknown()
    .refine((value) => [undefined, null, ...neutral].some((one) => isDeepStrictEqual(one, value)), {
      error: 'is not supported by this server',
    })
    .optional();

/** A field that changes nothing that comes. */
export const ignored = z.unknown().optional();

export const sharedFields = {
  model: z.nullish(z.string()),
  max_tokens: z.nullish(z.int().min(1)),
  max_completion_tokens: z.nullish(z.int().min(1)),
  temperature: or(z.number().min(0).max(2), 1),
  top_p: or(z.number().min(0).max(1), 1),
  top_k: or(z.int().min(0).max(MAXIMUM_TOP_K), 0),
  min_p: or(z.number().min(0).max(1), 0),
  repetition_penalty: or(z.number().min(0.1).max(10), 1),
  seed: z.nullish(
    z
      .int()
      .min(-(2 ** 48))
      .max(2 ** 48),
  ),
  stop: or(
    z.union([stopText.transform((text) => [text]), shortArray(stopText, { max: MAXIMUM_STOPS })], {
      error: `must be a text of 1 to ${MAXIMUM_STOP_CHARACTERS} characters, or an array of at most ${MAXIMUM_STOPS}`,
    }),
    [],
  ),
  n: or(z.int().min(1), 1),
  stream: or(z.boolean(), false),
  stream_options: or(z.strictObject({ include_usage: or(z.boolean(), false), include_obfuscation: ignored }), {
    include_usage: false,
  }),
  byteify: or(z.strictObject({ patches: or(z.boolean(), false) }), { patches: false }),
  frequency_penalty: refused(0),
  presence_penalty: refused(0),
  logit_bias: refused({}),
  metadata: ignored,
  prompt_cache_key: ignored,
  prompt_cache_retention: ignored,
  safety_identifier: ignored,
  service_tier: ignored,
  store: ignored,
  user: ignored,
};

type SharedFields = z.infer<z.ZodObject<typeof sharedFields>>;

/** @throws ApiError 400 naming the first field that is not right. */
export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue!.path.join('.');
  if (issue!.code === 'unrecognized_keys') {
    const param = [...issue!.path, issue!.keys[0]].join('.');
    throw new ApiError(400, `${param} is no field that this server knows.`, { param, code: 'unknown_parameter' });
  }
  const message = issue!.message.charAt(0).toLowerCase() + issue!.message.slice(1);
  throw new ApiError(400, `${path === '' ? 'The body' : path}: ${message}.`, { param: path || undefined });
}

/** @throws ApiError 400 for what is beyond the server's limits. */
export function textRequestOf(
  fields: SharedFields,
  prompt: Prompt,
  { limits, lanes }: { readonly limits: Limits; readonly lanes: number },
): TextRequest {
  if (fields.n > lanes)
    throw new ApiError(400, `n: this server writes ${lanes} texts at a time, and was asked for ${fields.n}.`, {
      param: 'n',
    });
  const maxBytes = fields.max_completion_tokens ?? fields.max_tokens ?? Math.min(DEFAULT_TEXT_BYTES, limits.textBytes);
  if (maxBytes > limits.textBytes)
    throw new ApiError(
      400,
      `This server writes at most ${limits.textBytes} bytes a text, and was asked for ${maxBytes}.`,
      {
        param: fields.max_completion_tokens == null ? 'max_tokens' : 'max_completion_tokens',
      },
    );
  return {
    generation: {
      prompt: prompt.ids,
      maxBytes,
      sampling: {
        temperature: fields.temperature,
        topK: fields.top_k,
        topP: fields.top_p,
        minP: fields.min_p,
        repetitionPenalty: fields.repetition_penalty,
      },
      seed: fields.seed ?? randomInt(2 ** 47),
      stops: [...prompt.stops, ...fields.stop.map((text) => new TextEncoder().encode(text))],
    },
    samples: fields.n,
    stream: fields.stream,
    includeUsage: fields.stream_options.include_usage,
    patches: fields.byteify.patches,
  };
}

/** @throws ApiError 400 for one that is longer than the server reads. */
export function checkPromptBytes(bytes: number, limits: Limits, param: string): void {
  if (bytes <= limits.promptBytes) return;
  throw new ApiError(400, `The prompt is ${bytes} bytes long; this server reads ${limits.promptBytes}.`, {
    param,
    code: 'context_length_exceeded',
  });
}
