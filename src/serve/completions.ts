/** @module `POST /v1/completions`: generates the text after prompts, or returns the log-probabilities of the prompts themselves. */
import { z } from 'zod';
import { VOCAB_SIZE } from '../blt/index.js';
import { type Prompt, textPrompt } from '../generate/index.js';
import type { Endpoint } from './endpoint.js';
import { completionLogprobs } from './logprobs-format.js';
import {
  checkPromptBytes,
  idList,
  or,
  parseBody,
  refused,
  sharedFields,
  shortArray,
  textRequestOf,
  topCount,
} from './request-fields.js';

/** More than can wait at any setting that makes sense; the scheduler has the server's own limit. */
const MAXIMUM_PROMPTS = 1024;
/** Ids are read as they are: no BOS is put before them. */
const ids = idList(1);
const prompts = <T extends z.ZodType>(element: T) => shortArray(element, { min: 1, max: MAXIMUM_PROMPTS });

const schema = z.strictObject({
  ...sharedFields,
  max_tokens: z.nullish(z.int().min(0)),
  prompt: z.union([z.string(), ids, prompts(z.string()), prompts(ids)], {
    error: `must be a text, an array of ids below ${VOCAB_SIZE}, or an array of such texts or arrays`,
  }),
  best_of: refused(1),
  echo: or(z.boolean(), false),
  logprobs: z.nullish(topCount),
  suffix: refused(''),
});

/** One prompt per text or list of ids. */
function promptsOf(given: z.infer<typeof schema>['prompt']): readonly Prompt[] {
  if (typeof given === 'string') return [textPrompt(new TextEncoder().encode(given))];
  if (typeof given[0] === 'number') return [{ ids: given as number[], stops: [] }];
  return (given as (string | number[])[]).map((one) =>
    typeof one === 'string' ? textPrompt(new TextEncoder().encode(one)) : { ids: one, stops: [] },
  );
}

export const completions: Endpoint = {
  path: '/v1/completions',
  idPrefix: 'cmpl-',
  wholeObject: 'text_completion',
  chunkObject: 'text_completion',
  async parse(body, context) {
    const fields = parseBody(schema, body);
    const parsed = promptsOf(fields.prompt);
    for (const { ids: one } of parsed) checkPromptBytes(one.length - 1, context.limits, 'prompt');
    const { echo } = fields;
    const logprobs = fields.logprobs == null ? null : { top: fields.logprobs, ofPrompt: echo };
    return { text: textRequestOf(fields, parsed, context, { echo, logprobs }), model: fields.model ?? null };
  },
  whole: (text) => ({ text }),
  delta: (text) => ({ text }),
  opening: null,
  logprobs: completionLogprobs,
};
