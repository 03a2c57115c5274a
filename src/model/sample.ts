/** @module Writes bytes that follow a prompt. */
import { BYTE_OFFSET, EOS, encodeBytes } from '../blt/index.js';
import { canCompile } from '../engine/index.js';
import { openDecoding } from './decoding/decoding.js';
import type { HeldBlt } from './decoding/held-blt.js';

export interface SampleOptions {
  readonly prompt: Uint8Array;
  readonly maxBytes: number;
  /** 0 takes the most likely byte. */
  readonly temperature: number;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

/** BOE, BOS and the BPE delimiter are never written; EOS ends the text. */
function pick(logits: Float32Array, { temperature, random }: SampleOptions): number {
  const allowed = Array.from(logits, (logit, id) =>
    id === EOS || id >= BYTE_OFFSET ? logit : Number.NEGATIVE_INFINITY,
  );
  const highest = Math.max(...allowed);
  if (temperature === 0) return allowed.indexOf(highest);
  const weights = allowed.map((logit) => Math.exp((logit - highest) / temperature));
  const lot = random() * weights.reduce((sum, weight) => sum + weight, 0);
  let passed = 0;
  for (const [id, weight] of weights.entries()) {
    passed += weight;
    if (passed > lot) return id;
  }
  return EOS;
}

/** The bytes that follow the prompt, up to EOS or the longest text of the model. The engine must be started. */
export async function sampleBytes(model: HeldBlt, options: SampleOptions): Promise<Uint8Array> {
  const decoding = openDecoding(model, { lanes: 1, mode: canCompile() ? 'graph' : 'eager' });
  const written: number[] = [];
  try {
    let ids: ArrayLike<number> = encodeBytes(options.prompt);
    const hasRoom = () => decoding.state(0).length + ids.length <= model.config.maxPositions;
    while (written.length < options.maxBytes && hasRoom()) {
      const [output] = await decoding.read([ids]);
      const next = pick(output!.logits.subarray(-model.config.vocabSize), options);
      if (next === EOS) break;
      written.push(next - BYTE_OFFSET);
      ids = [next];
    }
    return Uint8Array.from(written);
  } finally {
    decoding.dispose();
  }
}
