/** @module Demonstrates a model: the patches of a sentence, and a sample of generated text. */
import { openGenerator, PLAIN_SAMPLING, textPrompt } from '../generate/index.js';
import { openResidentModel, openSegmenter } from '../model/index.js';

export interface ShownModel {
  readonly bytes: Uint8Array;
  readonly patchLengths: number[];
  readonly entropyNats: Float32Array;
  /** The generated text after the prompt; invalid UTF-8 is replaced by U+FFFD. */
  readonly sample: string;
}

const TEMPERATURE = 0.7;

/** @param folder a BLT folder. The engine must be started. */
export async function showModel(
  folder: string,
  options: { sentence: string; prompt: string; sampleBytes: number; seed: number },
): Promise<ShownModel> {
  const encoder = new TextEncoder();
  const model = await openResidentModel(folder);
  try {
    const bytes = encoder.encode(options.sentence);
    const segmenter = openSegmenter(model);
    const { patchLengths, entropyNats } = await segmenter.segment(bytes).finally(() => segmenter.dispose());
    const generator = openGenerator(model);
    const sample: Uint8Array[] = [];
    try {
      const [text] = generator.generate({
        prompt: textPrompt(encoder.encode(options.prompt)).ids,
        maxBytes: options.sampleBytes,
        sampling: { ...PLAIN_SAMPLING, temperature: TEMPERATURE },
        seed: options.seed,
        stops: [],
      });
      for await (const { bytes: written } of text!) sample.push(written);
    } finally {
      await generator.close();
    }
    return { bytes, patchLengths, entropyNats, sample: new TextDecoder().decode(Buffer.concat(sample)) };
  } finally {
    model.dispose();
  }
}
