/** @module `POST /v1/chat/completions`: generates the next message of a conversation, in the chat template of the model's source. */
import { z } from 'zod';
import { ApiError } from './api-error.js';
import type { Endpoint } from './endpoint.js';
import { chatLogprobs } from './logprobs-format.js';
import {
  checkPromptBytes,
  ignored,
  or,
  parseBody,
  refused,
  sharedFields,
  shortArray,
  textRequestOf,
  topCount,
} from './request-fields.js';

/** The template loops over all messages. */
const MAXIMUM_MESSAGES = 1024;
const MAXIMUM_PARTS = 1024;

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });

const message = z.strictObject({
  // Templates know the developer message as the system message.
  role: z
    .enum(['system', 'developer', 'user', 'assistant'])
    .transform((role) => (role === 'developer' ? 'system' : role)),
  content: z.union(
    [
      z.string(),
      shortArray(textPart, { max: MAXIMUM_PARTS }).transform((parts) => parts.map(({ text }) => text).join('')),
    ],
    { error: `must be a text, or an array of at most ${MAXIMUM_PARTS} parts of type text` },
  ),
  name: ignored,
  refusal: refused(),
  tool_calls: refused([]),
  function_call: refused(),
  audio: refused(),
});

const schema = z.strictObject({
  ...sharedFields,
  messages: shortArray(message, { min: 1, max: MAXIMUM_MESSAGES }),
  audio: refused(),
  function_call: refused('none'),
  functions: refused([]),
  logprobs: or(z.boolean(), false),
  modalities: refused(['text']),
  parallel_tool_calls: ignored,
  prediction: refused(),
  reasoning_effort: refused(),
  response_format: refused({ type: 'text' }),
  tool_choice: refused('none', 'auto'),
  tools: refused([]),
  top_logprobs: z.nullish(topCount),
  verbosity: refused(),
  web_search_options: refused(),
});

const NO_TEMPLATE =
  'This model has no chat template: its source was not made for conversations. Use /v1/completions with a plain prompt.';

export const chat: Endpoint = {
  path: '/v1/chat/completions',
  idPrefix: 'chatcmpl-',
  wholeObject: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  async parse(body, context) {
    const { limits, chat: prompts } = context;
    const fields = parseBody(schema, body);
    if (prompts === null) throw new ApiError(400, NO_TEMPLATE, { code: 'no_chat_template' });
    const { messages } = fields;
    // Checked before the template runs, and again afterwards.
    checkPromptBytes(
      messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0),
      limits,
      'messages',
    );
    const prompt = await prompts.promptOf(messages);
    checkPromptBytes(prompt.ids.length - 1, limits, 'messages');
    if (fields.top_logprobs != null && !fields.logprobs)
      throw new ApiError(400, 'top_logprobs: needs "logprobs": true.', { param: 'top_logprobs' });
    const logprobs = fields.logprobs ? { top: fields.top_logprobs ?? 0, ofPrompt: false } : null;
    return { text: textRequestOf(fields, [prompt], context, { echo: false, logprobs }), model: fields.model ?? null };
  },
  whole: (content) => ({ message: { role: 'assistant', content, refusal: null } }),
  delta: (content) => ({ delta: { content } }),
  opening: { delta: { role: 'assistant', content: '' } },
  logprobs: chatLogprobs,
};
