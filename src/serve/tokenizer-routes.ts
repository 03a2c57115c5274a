/** @module The routes of the tokenizer, under vLLM's names: evaluation harnesses count tokens with them. A token is a byte. */
import type { Hono } from 'hono';
import { z } from 'zod';
import { BOS } from '../blt/index.js';
import { byteTokenizerFiles, decodeWithSpecials, encodeWithSpecials } from '../tokenizer/index.js';
import type { AppOptions, Env } from './app-options.js';
import { bodyOf } from './body.js';
import { checkPromptBytes, idList, ignored, or, parseBody } from './request-fields.js';

export const TOKENIZER_PATHS = ['/tokenize', '/detokenize', '/tokenizer_info'] as const;

const tokenizeSchema = z.strictObject({
  model: ignored,
  prompt: z.string(),
  add_special_tokens: or(z.boolean(), true),
  return_token_strs: ignored,
});

const detokenizeSchema = z.strictObject({
  model: ignored,
  tokens: idList(0),
});

/** @param chatTemplate as an export keeps it; null for none */
export function addTokenizerRoutes(app: Hono<Env>, { limits, chatTemplate }: AppOptions): void {
  const { tokenizerConfig } = byteTokenizerFiles();
  const maximum = limits.promptBytes + 1;
  app.get('/tokenizer_info', (c) =>
    c.json({ ...tokenizerConfig, ...(chatTemplate !== null && { chat_template: chatTemplate }) }),
  );
  app.post('/tokenize', async (c) => {
    const fields = parseBody(tokenizeSchema, await bodyOf(c));
    checkPromptBytes(Buffer.byteLength(fields.prompt), limits, 'prompt');
    const tokens = [...(fields.add_special_tokens ? [BOS] : []), ...encodeWithSpecials(fields.prompt)];
    return c.json({ count: tokens.length, max_model_len: maximum, tokens });
  });
  app.post('/detokenize', async (c) => {
    const { tokens } = parseBody(detokenizeSchema, await bodyOf(c));
    return c.json({ prompt: decodeWithSpecials(tokens) });
  });
}
