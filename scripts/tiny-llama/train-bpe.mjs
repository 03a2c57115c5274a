// Trains a byte-level BPE vocabulary and returns it as a tokenizer.json of transformers.

/** The words of the pre-tokenizer: contractions; letters, digits or other characters after an optional space; white space. */
const WORD = "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/** GPT-2's printable character for each byte: printable Latin-1 stands for itself, the other bytes follow from U+0100 on. */
function byteCharacters() {
  const isPrintable = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

function countWords(text) {
  const counts = new Map();
  for (const [word] of text.matchAll(new RegExp(WORD, 'gu'))) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** The most frequent pair of neighbours. Of equally frequent pairs it is the first in sorted order, so that the result is reproducible. */
function bestPair(words) {
  const pairs = new Map();
  for (const { symbols, count } of words) {
    for (let i = 1; i < symbols.length; i++) {
      const pair = `${symbols[i - 1]} ${symbols[i]}`;
      pairs.set(pair, (pairs.get(pair) ?? 0) + count);
    }
  }
  let best = null;
  for (const [pair, count] of pairs) {
    if (best === null || count > best.count || (count === best.count && pair < best.pair)) best = { pair, count };
  }
  return best;
}

function merge(symbols, left, right) {
  const merged = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) merged.push(symbols[i] + symbols[++i]);
    else merged.push(symbols[i]);
  }
  return merged;
}

/** The ids of <|begin|> and <|end|> are 0 and 1. @returns {{ tokenizerJson: object, tokenizerConfig: object }} */
export function trainBpe(text, vocabularySize) {
  const characters = byteCharacters();
  const toCharacters = (word) => Array.from(Buffer.from(word), (byte) => characters[byte]);
  const words = [...countWords(text)].map(([word, count]) => ({ symbols: toCharacters(word), count }));
  const specials = ['<|begin|>', '<|end|>'];
  const tokens = [...specials, ...characters];
  const merges = [];
  while (tokens.length < vocabularySize) {
    const best = bestPair(words);
    if (best === null || best.count < 2) break;
    const [left, right] = best.pair.split(' ');
    merges.push([left, right]);
    tokens.push(left + right);
    for (const word of words) if (word.symbols.includes(left)) word.symbols = merge(word.symbols, left, right);
  }
  const added = specials.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const tokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORD }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
  const tokenizerConfig = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: specials[0],
    eos_token: specials[1],
    add_bos_token: false,
    clean_up_tokenization_spaces: false,
    model_max_length: 512,
  };
  return { tokenizerJson, tokenizerConfig };
}
