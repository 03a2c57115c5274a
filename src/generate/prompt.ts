/** @module What a model is given to go on from: a text, or a conversation in its source's template. */
import { BOS, EOS, encodeBytes } from '../blt/index.js';
import { UsageError } from '../errors.js';
import { type ChatMessage, openChatTemplate } from '../tokenizer/index.js';

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
  /** @throws UsageError when the template refuses the messages, ByteifyError when it takes too long or too much memory. */
  promptOf(messages: readonly ChatMessage[]): Promise<Prompt>;
  /** Ends the process that renders. */
  close(): void;
}

/**
 * The template that an export keeps of its source. Its special tokens are spelled in bytes, as in the text that models were tuned on;
 * BOS and EOS alone are ids.
 * @param folder a BLT checkpoint's
 * @returns null where the source had no template
 * @throws ByteifyError where the template never ends, or wants too much memory
 */
export async function openChatPrompts(folder: string): Promise<ChatPrompts | null> {
  const template = await openChatTemplate(folder);
  if (template === null) return null;
  const end = await template.replyEnd();
  return {
    close: () => template.close(),
    async promptOf(messages) {
      const ids = (await template.render(messages)).flatMap((piece) => {
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
