/** @module What a report shows of the model itself: how it cuts sentences, beside the source's tokens, and what it writes. */
import { resolveCheckpoint } from '../conversion/index.js';
import { openResidentModel, openSegmenter, type ResidentModel } from '../model/index.js';
import { canonicalTokens } from '../patching/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { type ByteSample, byteSamples } from './byte-samples.js';
import { writtenAfter } from './written-after.js';

export interface CutSentence {
  readonly text: Uint8Array;
  /** Lengths of its patches in bytes, which sum to the text's. */
  readonly patches: readonly number[];
  /** The entropy of the prediction of each patch's first byte, in nats. */
  readonly entropies: readonly number[];
  /** Lengths of the source's tokens in bytes; null without a source, or if its tokens do not spell the sentence. */
  readonly tokens: readonly number[] | null;
}

export interface Sample {
  readonly prompt: string;
  readonly text: Uint8Array;
}

export interface ModelReadings {
  readonly sentences: readonly CutSentence[];
  readonly samples: readonly Sample[];
  /** Files that it continued; none if the data has no domain of bytes. */
  readonly files: readonly ByteSample[];
}

/** Kinds of text on which segmentations differ. */
const SENTENCES = [
  'The quick brown fox jumps over the lazy dog.',
  'function add(a, b) { return a + b; } // 12 + 34 = 46',
  'Die Verschlüsselung von Zeichenketten ist unübersichtlich.',
  'Съешь ещё этих мягких французских булок.',
  '日本語の文章には、空白がありません。',
];

const PROMPTS = ['The most important thing about ', 'Once upon a time, ', 'def fibonacci(n):\n'];
const SAMPLE_BYTES = 160;

async function cutSentences(model: ResidentModel, source: string | null): Promise<CutSentence[]> {
  const tokenizer = source === null ? null : await loadTokenizer(source);
  const segmenter = openSegmenter(model);
  try {
    const found: CutSentence[] = [];
    for (const sentence of SENTENCES) {
      const text = Buffer.from(sentence);
      const { patchLengths, entropyNats } = await segmenter.segment(text);
      // The first patch is that of BOS.
      const patches = patchLengths.slice(1);
      let at = 0;
      const entropies = patches.map((length) => {
        at += length;
        return entropyNats[at - length]!;
      });
      const tokens = tokenizer === null ? null : canonicalTokens(text, tokenizer);
      found.push({ text, patches, entropies, tokens: tokens?.map(({ length }) => length) ?? null });
    }
    return found;
  } finally {
    segmenter.dispose();
  }
}

async function writeSamples(model: ResidentModel): Promise<Sample[]> {
  const tasks = PROMPTS.map((prompt) => ({ prompt: Buffer.from(prompt), maxBytes: SAMPLE_BYTES }));
  const texts = await writtenAfter(model, tasks);
  return PROMPTS.map((prompt, i) => ({ prompt, text: texts[i]! }));
}

/** Reads sentences and writes samples with a conversion's model. The engine must be started. @param source the source's folder; null for none */
export async function modelReadings(dir: string, source: string | null): Promise<ModelReadings> {
  const { folder } = await resolveCheckpoint(dir);
  const model = await openResidentModel(folder, { weights: 'float32' });
  try {
    return {
      sentences: await cutSentences(model, source),
      samples: await writeSamples(model),
      files: await byteSamples(dir, model),
    };
  } finally {
    model.dispose();
  }
}
