/** @module Checks a tokenizer's files against their model, before anything is computed with either. */
import { ByteifyError } from '../errors.js';
import { createChatTemplate, type TemplateSource } from './chat-template.js';
import { unknownExpressionsIn } from './encoding/expressions.js';
import { contentOf, createTokenizer, type TokenizerSources } from './load.js';
import { BROKEN } from './read-files.js';

const NOT_TOGETHER = 'The tokenizer and the weights do not belong together: download the model again.';
const RESIZED =
  'The tokenizer was extended but the model was not: resize its embedding in transformers (resize_token_embeddings), or remove the tokens.';

/** The paths of the files, as the user knows them. */
export interface TokenizerPaths {
  readonly tokenizer: string;
  readonly config: string;
}

export interface TokenizerModel {
  /** Rows of the embedding table. */
  readonly vocabSize: number;
}

/** Characters of every kind that regular expressions distinguish. */
const KINDS = "aM09 \t\n.-_'é東🙂";
/** Long enough to expose an expression that tries every split of a run: there are 2 to this power. */
const RUN_LENGTH = 64;

/**
 * Encodes runs of every character that the tokenizer's own expressions name, and of every kind. This exposes most expressions that never end
 * before a conversion has run for hours; the encoder's deadline ends the others.
 */
function tryExpressions(
  { normalizer, pre_tokenizer: preTokenizer }: TokenizerSources['tokenizerJson'],
  encode: (text: string) => unknown,
): void {
  const expressions = unknownExpressionsIn([normalizer, preTokenizer]);
  if (expressions.length === 0) return;
  const characters = new Set(Array.from(KINDS + expressions.join('')));
  for (const character of characters) encode(`${character.repeat(RUN_LENGTH)}!${character.repeat(RUN_LENGTH)}\u0000`);
  encode(Array.from(characters).join('').repeat(2));
}

/**
 * Checks a tokenizer against its model.
 * @throws ByteifyError when the tokenizer is broken or not supported, produces ids without a row in the model, or names tokens that it lacks.
 */
export function checkTokenizer(sources: TokenizerSources, model: TokenizerModel, paths: TokenizerPaths): void {
  const tokenizer = createTokenizer(sources, paths.tokenizer);
  tryExpressions(sources.tokenizerJson, tokenizer.encode);
  const beyond = [...tokenizer.ordinaryIds, ...(tokenizer.bosId === null ? [] : [tokenizer.bosId])].find(
    (id) => id >= model.vocabSize,
  );
  if (beyond !== undefined) {
    const token = JSON.stringify(Buffer.from(tokenizer.tokenBytes(beyond)).toString());
    throw new ByteifyError(
      `${paths.tokenizer} gives ${token} the id ${beyond}, but the model has ${model.vocabSize} tokens (vocab_size).`,
      { hint: RESIZED },
    );
  }
  for (const key of ['bos_token', 'eos_token'] as const) {
    const content = contentOf(sources.tokenizerConfig[key]);
    if (content !== null && !tokenizer.has(content))
      throw new ByteifyError(
        `${paths.config} names the ${key} ${JSON.stringify(content)}, which ${paths.tokenizer} does not have.`,
        { hint: BROKEN },
      );
  }
}

/**
 * Checks the special ids in a config.json or generation_config.json.
 * @throws ByteifyError for an id that the model does not have.
 */
export function checkSpecialIds(json: Readonly<Record<string, unknown>>, model: TokenizerModel, path: string): void {
  for (const key of ['bos_token_id', 'eos_token_id'] as const) {
    const ids: unknown[] = [json[key] ?? []].flat();
    const wrong = ids.find((id) => !Number.isInteger(id) || (id as number) < 0 || (id as number) >= model.vocabSize);
    if (wrong !== undefined)
      throw new ByteifyError(
        `${path} has the ${key} ${JSON.stringify(wrong)}, but the model has ${model.vocabSize} tokens (vocab_size).`,
        { hint: NOT_TOGETHER },
      );
  }
}

/** Runs a chat template once. @throws ByteifyError when it takes too long or too much memory, which would affect every user of the model. */
export async function checkChatTemplate(source: TemplateSource): Promise<void> {
  const template = createChatTemplate(source);
  try {
    await template.replyEnd();
  } finally {
    template.close();
  }
}
