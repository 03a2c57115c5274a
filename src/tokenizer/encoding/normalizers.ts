/** @module Normalizers: how a tokenizer changes a text before splitting it, as in the Rust library. */
import { z } from 'zod';
import { byteCharacters } from '../byte-characters.js';
import { charsmapOf } from './charsmap.js';
import { type PartReader, part, readPart } from './parts.js';
import { compilePattern, patternSchema, spansOf } from './patterns.js';
import type { Refuse } from './refusal.js';

export type Normalizer = (text: string) => string;

const nothing = z.object({});

/** Real normalizers replace one character by a few. Rules that multiply a text could exhaust memory. */
const MAX_GROWTH = 64;
const FREE_GROWTH = 1024;
const shortText = z.string().max(MAX_GROWTH);

/** SentencePiece's own clean-up of control characters and spaces (normalizers/unicode.rs, do_nmt). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
const NMT_REMOVED = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/gu;
const NMT_SPACES = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu;

/** The library maps each character separately, so there is no special case for a final sigma. */
const lowercase: Normalizer = (text) => Array.from(text, (character) => character.toLowerCase()).join('');

function strip({ strip_left: left, strip_right: right }: { strip_left: boolean; strip_right: boolean }): Normalizer {
  const begun = left ? /^\p{White_Space}+/u : null;
  return (text) => {
    const rest = begun === null ? text : text.replace(begun, '');
    if (!right) return rest;
    let end = rest.length;
    while (end > 0 && /\p{White_Space}/u.test(rest[end - 1]!)) end--;
    return rest.slice(0, end);
  };
}

/** Normalizers in order of application; a sequence is flattened. */
type Steps = readonly Normalizer[];

const NORMALIZERS: ReadonlyMap<string, PartReader<Steps>> = new Map<string, PartReader<Steps>>([
  ...(['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map(
    (form) => [form, part(nothing, (): Steps => [(text) => text.normalize(form)])] as const,
  ),
  ['Lowercase', part(nothing, () => [lowercase])],
  ['StripAccents', part(nothing, () => [(text) => text.replace(/\p{M}/gu, '')])],
  ['Strip', part(z.object({ strip_left: z.boolean(), strip_right: z.boolean() }), (fields) => [strip(fields)])],
  ['Nmt', part(nothing, () => [(text) => text.replace(NMT_REMOVED, '').replace(NMT_SPACES, ' ')])],
  ['ByteLevel', part(nothing, () => [byteCharacters])],
  ['Prepend', part(z.object({ prepend: shortText }), ({ prepend }) => [(text) => (text === '' ? '' : prepend + text)])],
  [
    'Replace',
    part(z.object({ pattern: patternSchema, content: shortText }), ({ pattern, content }, refuse) => {
      const compiled = compilePattern(pattern, refuse);
      return [
        (text) =>
          spansOf(text, compiled)
            .map((span) => (span.isMatch ? content : span.text))
            .join(''),
      ];
    }),
  ],
  [
    'Precompiled',
    part(z.object({ precompiled_charsmap: z.string() }), ({ precompiled_charsmap: map }, refuse) => [
      charsmapOf(map) ?? refuse('its precompiled_charsmap is damaged'),
    ]),
  ],
  [
    'Sequence',
    part(z.object({ normalizers: z.array(z.unknown()) }), ({ normalizers }, refuse) =>
      normalizers.flatMap((config) => readPart(NORMALIZERS, 'normalizer', config, refuse)),
    ),
  ],
]);

/** @param config the `normalizer` of a tokenizer.json. @throws ByteifyError through `refuse` for one that is not supported. */
export function readNormalizer(config: unknown, refuse: Refuse): Normalizer {
  if (config === null || config === undefined) return (text) => text;
  const steps = readPart(NORMALIZERS, 'normalizer', config, refuse);
  return (text) => {
    const most = FREE_GROWTH + MAX_GROWTH * text.length;
    return steps.reduce((changed, step) => {
      const next = step(changed);
      return next.length <= most ? next : refuse(`its normalizer makes ${next.length} characters of ${text.length}`);
    }, text);
  };
}
