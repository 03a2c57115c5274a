import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine, tf } from '../../src/engine/index.js';
import { prefixMarginals } from '../../src/model/index.js';
import { everyWay, ints, MODES, numbers, relativeDifference } from '../support/modes.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

type Bytes = readonly number[];

const startsWith = (token: Bytes, prefix: Bytes) => prefix.every((byte, i) => token[i] === byte);
const sorted = (tokens: readonly Bytes[]) => [...tokens].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** The bounds of a prefix in a sorted vocabulary [257]. */
function boundsAfter(vocabulary: readonly Bytes[], prefix: Bytes): number[] {
  const before = (edge: Bytes) =>
    vocabulary.filter((token) => Buffer.compare(Buffer.from(token), Buffer.from(edge)) < 0).length;
  const longer = vocabulary.filter((token) => startsWith(token, prefix) && token.length > prefix.length).length;
  const starts = Array.from({ length: 256 }, (_, byte) => before([...prefix, byte]));
  return [...starts, starts[0]! + longer];
}

/** q(b) by the definition, in double precision. */
function marginalsOf(logits: Bytes, vocabulary: readonly Bytes[], prefix: Bytes): number[] {
  const most = Math.max(...logits);
  const mass = (s: Bytes) =>
    vocabulary.reduce((sum, token, v) => sum + (startsWith(token, s) ? Math.exp(logits[v]! - most) : 0), 0);
  const masses = Array.from({ length: 256 }, (_, byte) => mass([...prefix, byte]));
  const total = masses.reduce((a, b) => a + b, 0);
  return masses.map((value) => (total > 0 ? value / total : 0));
}

const [a, b, c] = [97, 98, 99];

describe('prefix marginals', () => {
  it('equal numpy’s in every run mode, and are zeros for padding', async () => {
    const vocabulary = [[a], [a, b], [a, b, c], [a, c], [b], [b, a]];
    const bounds = [[], [a], [a]].map((prefix) => boundsAfter(vocabulary, prefix));
    const inputs = [
      tf.mul(2, numbers([2, 6], 3)),
      ints([0, 0, 1, 1]),
      ints([...bounds.flat(), ...new Array<number>(257).fill(0)], [4, 257]),
    ];
    const found = await everyWay((x, states, at) => [prefixMarginals(x!, states!, at!)], inputs);
    // p = softmax(x[t]); q(a) = sum(p[0:4]), q(b) = sum(p[4:6]); after a: q(b) = sum(p[1:3]) / sum(p[1:4]), q(c) = p[3] / sum(p[1:4])
    const golden = new Float64Array(4 * 256);
    golden.set([0.9690205194531726, 0.03097948054682712], a);
    golden.set([0.9257049780616659, 0.07429502193833426], 256 + b);
    golden.set([0.22206176537376746, 1 - 0.22206176537376746], 512 + b);
    for (const mode of MODES) {
      expect(relativeDifference(found[mode][0]!, golden), mode).toBeLessThan(1e-6);
      expect(
        found[mode][0]!.subarray(768).every((value) => value === 0),
        mode,
      ).toBe(true);
    }
    tf.dispose(inputs);
  });

  it('sum over the tokens that continue with each byte, for any vocabulary and prefix', () => {
    const token = fc.array(fc.constantFrom(0, 1, a, 254, 255), { minLength: 1, maxLength: 4 });
    const model = fc
      .uniqueArray(token, { minLength: 1, maxLength: 24, selector: (bytes) => bytes.join() })
      .chain((tokens) =>
        fc.record({
          vocabulary: fc.constant(sorted(tokens)),
          logits: fc.array(fc.double({ min: -8, max: 8, noNaN: true }), {
            minLength: tokens.length,
            maxLength: tokens.length,
          }),
          prefixes: fc.array(
            fc.tuple(fc.constantFrom(...tokens), fc.nat(3)).map(([bytes, length]) => bytes.slice(0, length)),
            { minLength: 1, maxLength: 4 },
          ),
        }),
      );
    fc.assert(
      fc.property(model, ({ vocabulary, logits, prefixes }) => {
        tf.tidy(() => {
          const x = tf.tensor2d(logits, [1, logits.length]);
          const bounds = prefixes.flatMap((prefix) => boundsAfter(vocabulary, prefix));
          const states = ints(new Array<number>(prefixes.length).fill(0));
          const found = prefixMarginals(x, states, ints(bounds, [prefixes.length, 257])).dataSync();
          const wanted = prefixes.flatMap((prefix) => marginalsOf(Array.from(x.dataSync()), vocabulary, prefix));
          expect(relativeDifference(found, wanted)).toBeLessThan(1e-5);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('keep their proportions if the token so far is improbable, and are zeros below the accuracy of the sums', () => {
    tf.tidy(() => {
      // Two tokens continue a, with e^-20 and e^-21 of the mass, or with e^-30 and e^-31, which is less than 1e-12.
      const x = tf.tensor2d([-20, -21, 0, -30, -31, 0], [2, 3]);
      const bounds = boundsAfter([[a, b], [a, c], [b]], [a]);
      const found = prefixMarginals(x, ints([0, 1]), ints([...bounds, ...bounds], [2, 257])).dataSync();
      expect(found[b]! / found[c]!).toBeCloseTo(Math.E, 4);
      expect(found[b]! + found[c]!).toBeCloseTo(1, 6);
      expect(found.subarray(256).every((value) => value === 0)).toBe(true);
    });
  });

  it('have no gradient', () => {
    tf.tidy(() => {
      const bounds = ints(boundsAfter([[a], [b]], []), [1, 257]);
      const loss = (x: tf.Tensor) => tf.sum(tf.square(prefixMarginals(x, ints([0]), bounds))) as tf.Scalar;
      expect([
        ...tf
          .grad(loss)(tf.tensor2d([[1, 2]]))
          .dataSync(),
      ]).toEqual([0, 0]);
    });
  });
});
