/** @module Writes bytes with the full forward pass for each: exact, and meant for short samples. */
import { type BltConfig, BYTE_OFFSET, EOS, encodeBytes } from '../blt/index.js';
import { tf } from '../engine/index.js';
import { wholeRow } from './batch.js';
import { bltLogits, cutIntoPatches } from './blt.js';
import type { Params } from './params.js';

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

/** The bytes that follow the prompt. */
export async function sampleBytes(params: Params, config: BltConfig, options: SampleOptions): Promise<Uint8Array> {
  const ids = Array.from(encodeBytes(options.prompt));
  const written: number[] = [];
  while (written.length < options.maxBytes) {
    const { batch } = cutIntoPatches(params, config, [wholeRow(Int32Array.from(ids))]);
    const last = tf.tidy(() => {
      const logits = bltLogits(params, config, batch);
      return tf.slice(logits, [ids.length - 1, 0], [1, -1]).dataSync() as Float32Array;
    });
    const next = pick(last, options);
    if (next === EOS) break;
    ids.push(next);
    written.push(next - BYTE_OFFSET);
    await new Promise(setImmediate);
  }
  return Uint8Array.from(written);
}
