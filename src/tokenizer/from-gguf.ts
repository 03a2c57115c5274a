/** @module Converts a GGUF file's tokenizer to transformers' tokenizer.json. */
import {
  booleanOf,
  idOf,
  type KeyValues,
  refuseTokenizer,
  scoresOf,
  TOKEN_TYPES,
  textsOf,
  type Vocabulary,
  vocabularyOf,
} from './gguf-vocabulary.js';
import { mergesFromScores } from './merges-from-scores.js';
import { PRE_TOKENIZERS } from './pre-tokenizers.js';
import { addedToken, BYTE_LEVEL_DECODER, beginWith, bpeModel, type TokenizerFiles } from './tokenizer-json.js';

interface Parts {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
}

interface Kind {
  readonly parts: (keyValues: KeyValues, vocabulary: Vocabulary, unknown: number | null) => Parts;
  /** llama.cpp's defaults when the file does not say: special ids, and whether texts begin with BOS. */
  readonly defaults: (keyValues: KeyValues) => {
    readonly bos: number | null;
    readonly eos: number | null;
    readonly unknown: number | null;
    readonly addsBos: boolean;
  };
}

/** A file that names no pre-tokenizer gets the default one, as in llama.cpp. */
function preTokenizerOf(keyValues: KeyValues) {
  const name = keyValues.get('tokenizer.ggml.pre') ?? 'default';
  return (
    (typeof name === 'string' ? PRE_TOKENIZERS.get(name) : undefined) ??
    refuseTokenizer(
      `its pre-tokenizer ${typeof name === 'string' ? JSON.stringify(name) : 'without a name'} is unknown`,
      `Known are ${[...PRE_TOKENIZERS.keys()].join(', ')}; for others use the transformers checkpoint.`,
    )
  );
}

function byteLevelParts(keyValues: KeyValues, { ids }: Vocabulary): Parts {
  const { preTokenizer, ignoreMerges } = preTokenizerOf(keyValues);
  const merges = textsOf(keyValues, 'tokenizer.ggml.merges').map((merge): [string, string] => {
    // Search from the second character on, because the first part may itself be a space.
    const space = merge.indexOf(' ', 1);
    const [left, right] = [merge.slice(0, space), merge.slice(space + 1)];
    if (space < 0 || ![left, right, left + right].every((token) => ids.has(token)))
      refuseTokenizer(`its merge ${JSON.stringify(merge)} does not join two tokens into a third`);
    return [left, right];
  });
  return {
    normalizer: null,
    pre_tokenizer: preTokenizer,
    decoder: BYTE_LEVEL_DECODER,
    model: bpeModel(ids, merges, { ignore_merges: ignoreMerges }),
  };
}

const NEVER_MERGED: readonly number[] = [
  TOKEN_TYPES.unknown,
  TOKEN_TYPES.control,
  TOKEN_TYPES.unused,
  TOKEN_TYPES.byte,
];

function sentencePieceParts(keyValues: KeyValues, { tokens, ids, types }: Vocabulary, unknown: number | null): Parts {
  const mergeable = new Map([...ids].filter(([, id]) => !NEVER_MERGED.includes(types[id]!)));
  const prefixed = booleanOf(keyValues, 'tokenizer.ggml.add_space_prefix', true);
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  return {
    normalizer: prefixed ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] } : replace,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: bpeModel(ids, mergesFromScores(mergeable, scoresOf(keyValues, tokens.length)), {
      byte_fallback: true,
      fuse_unk: true,
      unk_token: unknown === null ? null : tokens[unknown],
    }),
  };
}

/** The kinds, by `tokenizer.ggml.model`. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [
    'gpt2',
    {
      parts: byteLevelParts,
      defaults: (keyValues) => ({
        bos: null,
        eos: null,
        unknown: null,
        addsBos: preTokenizerOf(keyValues).addsBos,
      }),
    },
  ],
  ['llama', { parts: sentencePieceParts, defaults: () => ({ bos: 1, eos: 2, unknown: 0, addsBos: true }) }],
]);

function kindOf(keyValues: KeyValues): Kind {
  const name = keyValues.get('tokenizer.ggml.model');
  if (name === undefined) return refuseTokenizer('there is none');
  return (
    (typeof name === 'string' ? KINDS.get(name) : undefined) ??
    refuseTokenizer(
      `its kind ${typeof name === 'string' ? JSON.stringify(name) : 'without a name'} is unknown`,
      `Known are ${[...KINDS.keys()].join(' and ')}; for others use the transformers checkpoint.`,
    )
  );
}

/**
 * Converts byte-level BPE (`gpt2`) with its merges, or a SentencePiece vocabulary (`llama`) with merges derived from its scores.
 * @throws ByteifyError when the file has no tokenizer, a damaged one, or one of an unknown kind or with an unknown pre-tokenizer.
 */
export function tokenizerFromGguf(keyValues: KeyValues): TokenizerFiles {
  const kind = kindOf(keyValues);
  const vocabulary = vocabularyOf(keyValues);
  const { tokens, types } = vocabulary;
  const defaults = kind.defaults(keyValues);
  const id = (name: string, fallback: number | null) =>
    idOf(keyValues, `tokenizer.ggml.${name}_token_id`, fallback, tokens.length);
  const ids = {
    bos_token: id('bos', defaults.bos),
    eos_token: id('eos', defaults.eos),
    unk_token: id('unknown', defaults.unknown),
    pad_token: id('padding', null),
  };
  const special = new Set(Object.values(ids));
  const added = tokens.flatMap((token, at) => {
    const isSpecial = types[at] === TOKEN_TYPES.control || special.has(at);
    return isSpecial || types[at] === TOKEN_TYPES.userDefined ? [addedToken(at, token, isSpecial)] : [];
  });
  const bos = ids.bos_token;
  const addsBos = bos !== null && booleanOf(keyValues, 'tokenizer.ggml.add_bos_token', defaults.addsBos);
  const template = keyValues.get('tokenizer.chat_template');
  const named = Object.entries(ids).flatMap(([name, at]) => (at === null ? [] : [[name, tokens[at]!] as const]));
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      post_processor: addsBos ? beginWith(bos, tokens[bos]!) : null,
      ...kind.parts(keyValues, vocabulary, ids.unk_token),
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...Object.fromEntries(named),
      add_bos_token: addsBos,
      clean_up_tokenization_spaces: false,
      ...(typeof template === 'string' && { chat_template: template }),
    },
  };
}
