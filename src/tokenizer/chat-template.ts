/** @module The chat template that a model was tuned with: Jinja, in a file of its own or in tokenizer_config.json, as transformers keeps it. */
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { type Json, readJson, readText } from './read-files.js';
import { createTemplateRenderer, type TemplateRenderer } from './render-template.js';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** A rendered conversation, in pieces of text with special tokens between them. */
export type RenderedChat = readonly (string | { readonly token: 'bos' | 'eos' })[];

export const CHAT_TEMPLATE_NAME = 'chat_template.jinja';

/** Characters that Unicode keeps out of all texts (section 23.7) stand for the special tokens while the template runs. */
const BOS_MARK = '\uFDD0';
const EOS_MARK = '\uFDD1';
const REPLY_MARK = '\uFDD2';
const MARKS = /[\uFDD0-\uFDD2]/g;

/** `chat_template` of a tokenizer_config.json: a text, or several with names. */
export function templateIn(config: Readonly<Json> | null): string | null {
  const template = config?.chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template as { name?: unknown; template?: unknown }[];
  const found = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof found?.template === 'string' ? found.template : null;
}

/** A template, and the file that has it. */
export interface TemplateSource {
  readonly template: string;
  readonly path: string;
}

/** Where a model's folder has its template; null where it has none. @throws ByteifyError when a file is there and cannot be read. */
export async function findTemplate(folder: string): Promise<TemplateSource | null> {
  const own = await readText(folder, CHAT_TEMPLATE_NAME);
  if (own !== null) return { template: own, path: join(folder, CHAT_TEMPLATE_NAME) };
  const template = templateIn(await readJson(folder, 'tokenizer_config.json'));
  return template === null ? null : { template, path: join(folder, 'tokenizer_config.json') };
}

/**
 * The template of a model's folder, or null where it has none.
 * @throws ByteifyError when a file is there and cannot be read.
 */
export async function readChatTemplate(folder: string): Promise<string | null> {
  return (await findTemplate(folder))?.template ?? null;
}

/** A template that conversations can be rendered in. All of it throws ByteifyError when the template takes too long or too much memory. */
export interface ChatTemplate {
  /** The conversation up to where the model's reply begins. @throws UsageError when the template refuses it. */
  render(messages: readonly ChatMessage[]): Promise<RenderedChat>;
  /** What the template puts right after a reply, spaces left out: where the reply ends. Null where that is EOS or nothing, or cannot be seen. */
  replyEnd(): Promise<string | null>;
  /** Ends the process that renders. */
  close(): void;
}

const rendered = (
  { render }: TemplateRenderer,
  messages: readonly ChatMessage[],
  addGenerationPrompt: boolean,
): Promise<string> =>
  render({
    messages: messages.map(({ role, content }) => ({ role, content })),
    tools: null,
    documents: null,
    add_generation_prompt: addGenerationPrompt,
    bos_token: BOS_MARK,
    eos_token: EOS_MARK,
  });

/** A reply in the template; null where it refuses so short a conversation. */
async function renderedReply(renderer: TemplateRenderer): Promise<string | null> {
  const messages = [
    { role: 'user', content: '?' },
    { role: 'assistant', content: REPLY_MARK },
  ];
  try {
    return await rendered(renderer, messages, false);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** Nothing runs before the first rendering. */
export function createChatTemplate(source: TemplateSource): ChatTemplate {
  const renderer = createTemplateRenderer(source);
  return {
    async render(messages) {
      const unmarked = (text: string) => text.replace(MARKS, '\uFFFD');
      const safe = messages.map(({ role, content }) => ({ role: unmarked(role), content: unmarked(content) }));
      const pieces = (await rendered(renderer, safe, true)).split(new RegExp(`(${BOS_MARK}|${EOS_MARK})`));
      return pieces.flatMap((piece): RenderedChat => {
        if (piece === BOS_MARK) return [{ token: 'bos' }];
        if (piece === EOS_MARK) return [{ token: 'eos' }];
        return piece === '' ? [] : [piece];
      });
    },
    async replyEnd() {
      const after = (await renderedReply(renderer))?.split(REPLY_MARK).slice(1).at(-1) ?? '';
      const end = after.trim().split(new RegExp(`\\s|${EOS_MARK}`))[0]!;
      return end === '' ? null : end;
    },
    close: () => renderer.close(),
  };
}

/** The template of a model's folder, or null where it has none. @throws ByteifyError when a file is there and cannot be read. */
export async function openChatTemplate(folder: string): Promise<ChatTemplate | null> {
  const source = await findTemplate(folder);
  return source === null ? null : createChatTemplate(source);
}
