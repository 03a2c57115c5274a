/** @module Tokenizers: that of the source, and the byte tokenizer of a BLT. */
export { byteTokenizerFiles, decodeWithSpecials, encodeWithSpecials, specialContent } from './byte-tokenizer.js';
export {
  CHAT_TEMPLATE_NAME,
  type ChatMessage,
  type ChatTemplate,
  createChatTemplate,
  findTemplate,
  openChatTemplate,
  type RenderedChat,
  readChatTemplate,
  templateIn,
} from './chat-template.js';
export { checkChatTemplate, checkSpecialIds, checkTokenizer } from './check-tokenizer.js';
export { createEncoder } from './encoding/encoder.js';
export { refuseTokenizer } from './encoding/refusal.js';
export { tokenizerFromGguf } from './from-gguf.js';
export { loadTokenizer, readTokenizerSources, type SourceTokenizer } from './load.js';
export { readJson } from './read-files.js';
export type { TokenizerFiles } from './tokenizer-json.js';
