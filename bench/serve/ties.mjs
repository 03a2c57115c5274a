// Measures the difference between the logits of the two bytes at which a text diverges from the text generated alone: none at a tie.
import { encodeBytes } from '../../dist/blt/index.js';
import { startEngine } from '../../dist/engine/index.js';
import { openDecoding, openResidentModel } from '../../dist/model/index.js';

const BYTE_OFFSET = 4;

/** For each pair of texts, the absolute difference between the logits of the first two bytes that differ. */
export async function gapsOf(folder, pairs) {
  if (pairs.length === 0) return [];
  await startEngine();
  const model = await openResidentModel(folder);
  const decoding = openDecoding(model, { slots: 1, mode: 'graph' });
  const gaps = [];
  for (const { prompt, alone, together } of pairs) {
    const at = alone.findIndex((byte, i) => byte !== together[i]);
    const ids = [
      ...encodeBytes(new TextEncoder().encode(prompt)),
      ...alone.slice(0, at).map((byte) => byte + BYTE_OFFSET),
    ];
    decoding.reset(0);
    const [{ logits }] = await decoding.read([ids]);
    const last = logits.subarray(logits.length - model.config.vocabSize);
    const logitOf = (byte) => (byte === undefined ? Number.NaN : last[byte + BYTE_OFFSET]);
    gaps.push(Math.abs(logitOf(alone[at]) - logitOf(together[at])));
  }
  decoding.dispose();
  model.dispose();
  return gaps;
}
