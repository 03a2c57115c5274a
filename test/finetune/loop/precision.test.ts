import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BltConfig } from '../../../src/blt/index.js';
import { type Engine, onOpenXla, startEngine } from '../../../src/engine/index.js';
import { type BltModel, openBlt } from '../../../src/model/index.js';
import { goldenPath, plainCases, projectionCases } from '../../support/golden.js';
import { gradientPairs, type Passes, type PassOptions, passesOf, relativeError } from '../support/passes.js';

const PLAIN: PassOptions = { precision: 'float32', gradientCheckpointing: false };
const BFLOAT16: PassOptions = { precision: 'bfloat16', gradientCheckpointing: false };
const CHECKPOINTED: PassOptions = { precision: 'float32', gradientCheckpointing: true };
const BOTH: PassOptions = { precision: 'bfloat16', gradientCheckpointing: true };

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const MODES = ['eager', 'graph', 'xla'] as const;

/** Half a unit in the last place of bfloat16's 8 significant bits: the largest relative error of rounding. */
const UNIT_ROUNDOFF = 2 ** -8;
/**
 * The RMS relative error of one product in bfloat16. Averaged over all mantissas, one rounding has an RMS of the unit / sqrt(6). There are three:
 * of both factors and, if the engine stores the product in bfloat16 before widening it, of the result.
 */
const PRODUCT_ERROR = UNIT_ROUNDOFF / Math.sqrt(6 / 3);
/** Half the RMS error of a product of rounded factors: a smaller error means that nothing was rounded. */
const MIN_ERROR = UNIT_ROUNDOFF / Math.sqrt(6 / 2) / 2;

/** The number of consecutive matrix products between a byte and its logits. */
function consecutiveProducts({ encoder, global, decoder }: BltConfig): number {
  const block = 6; // query, scores, values, output; gate or up, down
  const cross = 5; // the patches' projection, query, scores, values, output
  return block * (encoder.layers + global.layers + decoder.layers) + cross * (1 + decoder.layers) + 1;
}

/** The relative error of a chain of products: the squares of independent errors add up. */
const chainError = (products: number, error = PRODUCT_ERROR) => Math.sqrt(products) * error;

/** The relative error of one product in float32: half a unit in the last of 24 bits per summand, in any order of summation. */
const sumError = ({ encoder, global, decoder }: BltConfig) =>
  2 ** -24 *
  Math.sqrt(Math.max(...[encoder, global, decoder].map((of) => Math.max(of.hiddenSize, of.intermediateSize))));

describe.each<[string, string, number[][]]>([
  ['plain', 'plain/blt', plainCases.map(({ input_ids }) => input_ids)],
  ['with a projection', 'projection-gqa', projectionCases.map(({ ids }) => ids)],
])('the forward and backward pass of the golden model, %s,', (_name, path, texts) => {
  let model: BltModel;
  let wanted: Passes;
  beforeAll(async () => {
    model = await openBlt(goldenPath(path));
    const passes = passesOf(model, texts, PLAIN);
    wanted = await passes.run('eager');
    passes.dispose();
  });
  afterAll(() => model.dispose());
  const bytes = texts.reduce((sum, { length }) => sum + length - 1, 0);
  /** Runs the passes in every mode and checks that no tensor leaks. */
  const withPasses = async (options: PassOptions, look: (mode: string, found: Passes) => void) => {
    const handles = engine.liveHandles();
    const passes = passesOf(model, texts, options);
    try {
      for (const mode of MODES) look(mode, await passes.run(mode));
    } finally {
      passes.dispose();
    }
    expect(engine.liveHandles(), 'handles leaked').toBe(handles);
  };

  it('gives the same logits and gradients in bfloat16 as in float32, to the precision of bfloat16, in every mode', async () => {
    const products = consecutiveProducts(model.config);
    // The backward pass has two products for each one of the forward pass.
    const [forward, backward] = [chainError(products), chainError(3 * products)];
    await withPasses(BFLOAT16, (mode, found) => {
      const logits = relativeError([[found.logits, wanted.logits]]);
      expect(logits, `logits, ${mode}`).toBeLessThan(forward);
      expect(logits, `logits, ${mode}`).toBeGreaterThan(MIN_ERROR);
      const gradients = relativeError(gradientPairs(found, wanted));
      expect(gradients, `gradients, ${mode}`).toBeLessThan(backward);
      expect(gradients, `gradients, ${mode}`).toBeGreaterThan(MIN_ERROR);
      // A cross-entropy is the difference between a logit and a weighted mean of logits: twice the error of one.
      const meanLogit = Math.hypot(...wanted.logits) / Math.sqrt(wanted.logits.length);
      expect(Math.abs(found.loss - wanted.loss) / bytes, `loss, ${mode}`).toBeLessThan(2 * forward * meanLogit);
      // A single tensor has few values, so its errors average out less, and it may be a small difference of large terms.
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(3 * backward);
    });
  });

  it('gives the same loss and gradients with gradient checkpointing, in every mode', async () => {
    await withPasses(CHECKPOINTED, (mode, found) => {
      const backward = chainError(3 * consecutiveProducts(model.config), sumError(model.config));
      expect(Math.abs(found.loss / wanted.loss - 1), `loss, ${mode}`).toBeLessThan(backward);
      expect(relativeError(gradientPairs(found, wanted)), `gradients, ${mode}`).toBeLessThan(backward);
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(3 * backward);
    });
  });

  it('recomputes layers in the same precision as in the forward pass', async () => {
    const [once, again] = [passesOf(model, texts, BFLOAT16), passesOf(model, texts, BOTH)];
    try {
      for (const mode of ['eager', 'graph'] as const) {
        const [first, second] = [await once.run(mode), await again.run(mode)];
        expect(second.loss).toBe(first.loss);
        // XLA may leave out a rounding between two fused operations, and fuses differently where it recomputes.
        const tolerance = onOpenXla() ? 5e-3 : 1e-6;
        expect(relativeError(gradientPairs(second, first)), mode).toBeLessThan(tolerance);
      }
    } finally {
      once.dispose();
      again.dispose();
    }
  });
});
