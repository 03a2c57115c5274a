/** @module What a model writes after prompts, in whole. */
import { encodeBytes } from '../blt/index.js';
import { openGenerator, PLAIN_SAMPLING } from '../generate/index.js';
import type { ResidentModel } from '../model/index.js';

export interface WritingTask {
  readonly prompt: Uint8Array;
  /** The most that is written, at least 1. */
  readonly maxBytes: number;
}

const TEMPERATURE = 0.7;

/** Writes after all prompts at once, each with its index as the seed, at temperature 0.7. The engine must be started. */
export async function writtenAfter(model: ResidentModel, tasks: readonly WritingTask[]): Promise<Uint8Array[]> {
  const generator = openGenerator(model, { slots: tasks.length, mode: 'graph' });
  const sampling = { ...PLAIN_SAMPLING, temperature: TEMPERATURE };
  try {
    return await Promise.all(
      tasks.map(async ({ prompt, maxBytes }, seed) => {
        const request = { prompt: [...encodeBytes(prompt)], maxBytes, sampling, seed, stops: [] };
        const [text] = generator.generate(request);
        const parts: Uint8Array[] = [];
        for await (const { bytes } of text!) parts.push(bytes);
        return Buffer.concat(parts);
      }),
    );
  } finally {
    await generator.close();
  }
}
