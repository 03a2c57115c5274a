/** @module Tokenizers: the source's, and the byte tokenizer of a BLT. */
export { byteTokenizerFiles } from './byte-tokenizer.js';
export {
  CHAT_TEMPLATE_NAME,
  type ChatMessage,
  type ChatTemplate,
  createChatTemplate,
  openChatTemplate,
  type RenderedChat,
  readChatTemplate,
} from './chat-template.js';
export { tokenizerFromGguf } from './from-gguf.js';
export { loadTokenizer, type SourceTokenizer } from './load.js';
export type { TokenizerFiles } from './tokenizer-json.js';
