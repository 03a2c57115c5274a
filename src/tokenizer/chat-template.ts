/** @module The chat template with which a model was tuned: Jinja, in its own file or in tokenizer_config.json, as in transformers. */
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { type Json, readJson, readText } from './read-files.js';
import { createTemplateRenderer, type TemplateRenderer } from './render-template.js';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** A rendered conversation: stretches of text with special tokens between them. */
export type RenderedChat = readonly (string | { readonly token: 'bos' | 'eos' })[];

export const CHAT_TEMPLATE_NAME = 'chat_template.jinja';

/** Unicode noncharacters (section 23.7), which occur in no text, represent the special tokens while the template runs. */
const BOS_MARK = '\uFDD0';
const EOS_MARK = '\uFDD1';
const REPLY_MARK = '\uFDD2';
const MARKS = /[\uFDD0-\uFDD2]/g;

/** The `chat_template` of a tokenizer_config.json, which is one text or several with names: `default` or else the first. Null if absent. */
export function templateIn(config: Readonly<Json> | null): string | null {
  const template = config?.chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template as { name?: unknown; template?: unknown }[];
  const found = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof found?.template === 'string' ? found.template : null;
}

/** A template and the path of its file. */
export interface TemplateSource {
  readonly template: string;
  readonly path: string;
}

/** Finds the template in a model's folder; null if there is none. @throws ByteifyError when a file exists but cannot be read. */
export async function findTemplate(folder: string): Promise<TemplateSource | null> {
  const own = await readText(folder, CHAT_TEMPLATE_NAME);
  if (own !== null) return { template: own, path: join(folder, CHAT_TEMPLATE_NAME) };
  const template = templateIn(await readJson(folder, 'tokenizer_config.json'));
  return template === null ? null : { template, path: join(folder, 'tokenizer_config.json') };
}

/**
 * The text of the template in a model's folder; null if there is none.
 * @throws ByteifyError when a file exists but cannot be read.
 */
export async function readChatTemplate(folder: string): Promise<string | null> {
  return (await findTemplate(folder))?.template ?? null;
}

/** Renders conversations in a template. Every method throws ByteifyError when the template takes too long or too much memory. */
export interface ChatTemplate {
  /** Renders the conversation up to the start of the model's reply. @throws UsageError when the template rejects it. */
  render(messages: readonly ChatMessage[]): Promise<RenderedChat>;
  /** The text that the template puts directly after a reply, without spaces: the end of the reply. Null if it is EOS, empty or unknown. */
  replyEnd(): Promise<string | null>;
  /** Ends the rendering process. */
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

/** Renders a short conversation with a reply; null if the template rejects it. */
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

/** Creates the renderer of a template. No process is started before the first rendering. */
export function createChatTemplate(source: TemplateSource): ChatTemplate {
  const renderer = createTemplateRenderer(source);
  return {
    async render(messages) {
      const unmarked = (text: string) => text.replace(MARKS, '\uFFFD');
      const safe = messages.map(({ role, content }) => ({ role: unmarked(role), content: unmarked(content) }));
      const sections = (await rendered(renderer, safe, true)).split(new RegExp(`(${BOS_MARK}|${EOS_MARK})`));
      return sections.flatMap((section): RenderedChat => {
        if (section === BOS_MARK) return [{ token: 'bos' }];
        if (section === EOS_MARK) return [{ token: 'eos' }];
        return section === '' ? [] : [section];
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

/** Opens the template of a model's folder; null if there is none. @throws ByteifyError when a file exists but cannot be read. */
export async function openChatTemplate(folder: string): Promise<ChatTemplate | null> {
  const source = await findTemplate(folder);
  return source === null ? null : createChatTemplate(source);
}
