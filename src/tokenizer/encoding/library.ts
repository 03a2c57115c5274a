/** @module Types of the parts of @huggingface/tokenizers in use. Its own declarations import files without extensions, which NodeNext cannot resolve. */
import * as library from '@huggingface/tokenizers';

interface BpeConfig {
  readonly type: 'BPE';
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
  readonly byte_fallback: boolean;
  readonly ignore_merges: boolean;
  readonly unk_token?: string;
}

interface SplitConfig {
  readonly type: 'Split';
  readonly pattern: { readonly Regex: string };
  readonly behavior: 'Isolated';
  readonly invert: false;
}

interface Library {
  readonly BPE: new (config: BpeConfig) => { encode(pieces: readonly string[]): string[] };
  readonly SplitPreTokenizer: new (config: SplitConfig) => { readonly pattern: RegExp };
}

export const { BPE, SplitPreTokenizer } = library as unknown as Library;
