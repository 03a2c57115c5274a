/** @module `POST /v1/completions`: generates the text after a prompt. */
import { z } from 'zod';
import { textPrompt } from '../generate/index.js';
import type { Endpoint } from './endpoint.js';
import { checkPromptBytes, parseBody, refused, sharedFields, shortArray, textRequestOf } from './request-fields.js';

const schema = z.strictObject({
  ...sharedFields,
  prompt: z.union([z.string(), shortArray(z.string(), { min: 1, max: 1 }).transform(([text]) => text!)], {
    error: 'must be a text, or an array of one text',
  }),
  best_of: refused(1),
  echo: refused(false),
  logprobs: refused(),
  suffix: refused(''),
});

export const completions: Endpoint = {
  path: '/v1/completions',
  idPrefix: 'cmpl-',
  wholeObject: 'text_completion',
  chunkObject: 'text_completion',
  async parse(body, context) {
    const fields = parseBody(schema, body);
    const bytes = new TextEncoder().encode(fields.prompt);
    checkPromptBytes(bytes.length, context.limits, 'prompt');
    return { text: textRequestOf(fields, textPrompt(bytes), context), model: fields.model ?? null };
  },
  whole: (text) => ({ text }),
  delta: (text) => ({ text }),
  opening: null,
};
