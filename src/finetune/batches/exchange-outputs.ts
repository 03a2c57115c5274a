/** @module Exchanges the patcher's outputs between processes: each runs the patcher on its own rows, and all must know where every row is cut. */
import type { Channel } from '../../group/index.js';
import type { PatcherOutput } from '../../patching/index.js';

/** float32, the arrays of each output one after the other. */
function encode(outputs: readonly PatcherOutput[]): Uint8Array {
  const arrays = outputs.flatMap(({ entropies, endProbabilities }) =>
    endProbabilities === null ? [entropies] : [entropies, endProbabilities],
  );
  return Buffer.concat(arrays.map((array) => bytesOf(array)));
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

/** @param like an output of the same shape */
function decode(body: Uint8Array, like: PatcherOutput): PatcherOutput[] {
  const values = new Float32Array(Uint8Array.from(body).buffer);
  const size = like.entropies.length;
  const outputs: PatcherOutput[] = [];
  let at = 0;
  const take = () => {
    at += size;
    return values.slice(at - size, at);
  };
  while (at < values.length)
    outputs.push({ entropies: take(), endProbabilities: like.endProbabilities === null ? null : take() });
  return outputs;
}

/** @returns what gives the outputs of all processes in the order of the micro-batches, given those of this process, of which there is at least one. */
export function exchangeOutputs(channel: Channel) {
  return async (own: readonly PatcherOutput[]): Promise<readonly PatcherOutput[]> => {
    const [like] = own;
    const bodies = await channel.gather(encode(own));
    return bodies.flatMap((body) => decode(body, like!));
  };
}
