/** @module What a model is given to go on from: a text, or a conversation in its source's template. */
import { BOS, EOS, encodeBytes } from '../blt/index.js';
import { UsageError } from '../errors.js';
import { type ChatMessage, readChatTemplate, renderChat, replyEnd } from '../tokenizer/index.js';

export interface Prompt {
  /** Ids, BOS first. */
  readonly ids: readonly number[];
  /** Where what follows ends, beside EOS. */
  readonly stops: readonly Uint8Array[];
}

export const textPrompt = (text: Uint8Array): Prompt => ({ ids: [...encodeBytes(text)], stops: [] });

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Conversations in one model's template. */
export interface ChatPrompts {
  /** @throws UsageError when the template refuses the messages. */
  promptOf(messages: readonly ChatMessage[]): Prompt;
}

/**
 * The template that an export keeps of its source. Its special tokens are spelled in bytes, as in the text that models were tuned on;
 * BOS and EOS alone are ids.
 * @param folder a BLT checkpoint's
 * @returns null where the source had no template
 */
export async function openChatPrompts(folder: string): Promise<ChatPrompts | null> {
  const template = await readChatTemplate(folder);
  if (template === null) return null;
  const end = replyEnd(template);
  return {
    promptOf(messages) {
      const ids = renderChat(template, messages).flatMap((piece) => {
        if (typeof piece === 'string') return [...encodeBytes(utf8(piece), { bos: false })];
        return piece.token === 'eos' ? [EOS] : [];
      });
      return { ids: [BOS, ...ids], stops: end === null ? [] : [utf8(end)] };
    },
  };
}

/** @throws UsageError where the model has no template. */
export function requireChat(chat: ChatPrompts | null, folder: string): ChatPrompts {
  if (chat !== null) return chat;
  throw new UsageError(
    `${folder} has no chat template: its source was not made for conversations, or the export is from before byteify kept it.`,
    {
      hint: 'Give a plain prompt, or export again from a source with a template.',
    },
  );
}
