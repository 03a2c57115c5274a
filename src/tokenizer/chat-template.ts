/** @module The chat template that a model was tuned with: Jinja, in a file of its own or in tokenizer_config.json, as transformers keeps it. */
import { Template } from '@huggingface/jinja';
import { messageOf, UsageError } from '../errors.js';
import { type Json, readJson, readText } from './read-files.js';

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
function templateIn(config: Json | null): string | null {
  const template = config?.chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template as { name?: unknown; template?: unknown }[];
  const found = named.find(({ name }) => name === 'default') ?? named[0];
  return typeof found?.template === 'string' ? found.template : null;
}

/**
 * The template of a model's folder, or null where it has none.
 * @throws ByteifyError when a file is there and cannot be read.
 */
export async function readChatTemplate(folder: string): Promise<string | null> {
  return (await readText(folder, CHAT_TEMPLATE_NAME)) ?? templateIn(await readJson(folder, 'tokenizer_config.json'));
}

function render(template: string, messages: readonly ChatMessage[], addGenerationPrompt: boolean): string {
  try {
    return new Template(template).render({
      messages: messages.map(({ role, content }) => ({ role, content })),
      tools: null,
      documents: null,
      add_generation_prompt: addGenerationPrompt,
      bos_token: BOS_MARK,
      eos_token: EOS_MARK,
    });
  } catch (cause) {
    throw new UsageError(`The model’s chat template does not take these messages: ${messageOf(cause)}.`, {
      hint: 'Templates differ in the roles they know and the order they want; most begin with system or user, then take turns.',
      cause,
    });
  }
}

/** The conversation up to where the model's reply begins. @throws UsageError when the template refuses it. */
export function renderChat(template: string, messages: readonly ChatMessage[]): RenderedChat {
  const unmarked = (text: string) => text.replace(MARKS, '\uFFFD');
  const safe = messages.map(({ role, content }) => ({ role: unmarked(role), content: unmarked(content) }));
  const pieces = render(template, safe, true).split(new RegExp(`(${BOS_MARK}|${EOS_MARK})`));
  return pieces.flatMap((piece): RenderedChat => {
    if (piece === BOS_MARK) return [{ token: 'bos' }];
    if (piece === EOS_MARK) return [{ token: 'eos' }];
    return piece === '' ? [] : [piece];
  });
}

/** A reply in the template; null where it refuses so short a conversation. */
function renderedReply(template: string): string | null {
  const messages = [
    { role: 'user', content: '?' },
    { role: 'assistant', content: REPLY_MARK },
  ];
  try {
    return render(template, messages, false);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** What the template puts right after a reply, spaces left out: where the reply ends. Null where that is EOS or nothing, or cannot be seen. */
export function replyEnd(template: string): string | null {
  const after = renderedReply(template)?.split(REPLY_MARK).slice(1).at(-1) ?? '';
  const end = after.trim().split(new RegExp(`\\s|${EOS_MARK}`))[0]!;
  return end === '' ? null : end;
}
