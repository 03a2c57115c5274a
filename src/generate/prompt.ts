/** @module Prompts: a text, or a conversation in the chat template of the model's source. */
import { BOS, EOS, encodeBytes } from '../blt/index.js';
import { UsageError } from '../errors.js';
import { type ChatMessage, openChatTemplate } from '../tokenizer/index.js';

export interface Prompt {
  /** Ids, BOS first. */
  readonly ids: readonly number[];
  /** Stop strings of the generated text, in addition to EOS. */
  readonly stops: readonly Uint8Array[];
}

export const textPrompt = (text: Uint8Array): Prompt => ({ ids: [...encodeBytes(text)], stops: [] });

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Turns conversations into prompts with one model's chat template. */
export interface ChatPrompts {
  /** @throws UsageError when the template refuses the messages, ByteifyError when it takes too long or too much memory. */
  promptOf(messages: readonly ChatMessage[]): Promise<Prompt>;
  /** Ends the rendering process. */
  close(): void;
}

/**
 * Opens the chat template that an export keeps from its source. Special tokens are spelled as bytes, as in the text on which the model was
 * tuned; only BOS and EOS are ids.
 * @param folder of a BLT checkpoint
 * @returns null if the source had no template
 * @throws ByteifyError when the template takes too long or too much memory
 */
export async function openChatPrompts(folder: string): Promise<ChatPrompts | null> {
  const template = await openChatTemplate(folder);
  if (template === null) return null;
  const end = await template.replyEnd();
  return {
    close: () => template.close(),
    async promptOf(messages) {
      const ids = (await template.render(messages)).flatMap((part) => {
        if (typeof part === 'string') return [...encodeBytes(utf8(part), { bos: false })];
        return part.token === 'eos' ? [EOS] : [];
      });
      return { ids: [BOS, ...ids], stops: end === null ? [] : [utf8(end)] };
    },
  };
}

/** The prompts of a model with a template. @throws UsageError when it has none. */
export function requireChat(chat: ChatPrompts | null, folder: string): ChatPrompts {
  if (chat !== null) return chat;
  throw new UsageError(
    `${folder} has no chat template: its source was not trained for conversations, or an older byteify exported it.`,
    {
      hint: 'Give a plain prompt, or export again from a source with a template.',
    },
  );
}
