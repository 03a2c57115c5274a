/** @module What a person wants to see of a fresh model: how it cuts a sentence, and what it writes. */
import { openGenerator, PLAIN_SAMPLING, textPrompt } from '../generate/index.js';
import { openResidentModel, openSegmenter } from '../model/index.js';

export interface ShownModel {
  readonly bytes: Uint8Array;
  readonly patchLengths: number[];
  readonly entropyNats: Float32Array;
  /** Text that follows the prompt; bytes that are not UTF-8 are replaced. */
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
