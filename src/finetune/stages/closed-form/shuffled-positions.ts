/** @module Positions in random order, for steps that draw single positions. */
import { uniformOf } from '../../../random.js';

/** An endless sequence of the positions 0 to count - 1, in passes that each have a new random order. */
export function* shuffledPositions(count: number, seed: number): Generator<number, never> {
  const uniform = uniformOf(`shuffled positions ${seed}`);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (;;) {
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    yield* order;
  }
}
