import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BltConfig } from '../../../src/blt/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { type BltModel, openBlt } from '../../../src/model/index.js';
import { goldenPath, plainCases, projectionCases } from '../../support/golden.js';
import { gradientPairs, type Passes, type PassOptions, passesOf, relativeError } from '../support/passes.js';

const PLAIN: PassOptions = { precision: 'float32', gradientCheckpointing: false };
const BFLOAT16: PassOptions = { precision: 'bfloat16', gradientCheckpointing: false };
const AGAIN: PassOptions = { precision: 'float32', gradientCheckpointing: true };
const BOTH: PassOptions = { precision: 'bfloat16', gradientCheckpointing: true };

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const MODES = ['eager', 'graph', 'xla'] as const;

/** Half a unit in the last place of bfloat16's 8 significant bits: what rounding a number does to it at most. */
const UNIT_ROUNDOFF = 2 ** -8;
/**
 * Root mean square of what one product in bfloat16 adds to its result, relative to it. Over all mantissas, rounding has a root mean square
 * of the unit / sqrt(6); of the two factors and, where the engine stores the product in bfloat16 before it is widened, of the result.
 */
const PRODUCT_ERROR = UNIT_ROUNDOFF / Math.sqrt(6 / 3);
/** Half of what one product of rounded factors adds: less comes out only where nothing was rounded. */
const LEAST_ERROR = UNIT_ROUNDOFF / Math.sqrt(6 / 2) / 2;

/** Products one after another on the way from a byte to its logits. */
function productsInARow({ encoder, global, decoder }: BltConfig): number {
  const block = 6; // query, scores, values, output; gate or up, down
  const cross = 5; // the patches' projection, query, scores, values, output
  return block * (encoder.layers + global.layers + decoder.layers) + cross * (1 + decoder.layers) + 1;
}

/** Independent errors of a chain of products add up as squares do: the whole is relative to what the chain ends in. */
const chainError = (products: number, error = PRODUCT_ERROR) => Math.sqrt(products) * error;

/** What one product in float32 adds: half a unit in the last of 24 bits for each of its summands, in whichever order they are summed. */
const sumError = ({ encoder, global, decoder }: BltConfig) =>
  2 ** -24 *
  Math.sqrt(Math.max(...[encoder, global, decoder].map((of) => Math.max(of.hiddenSize, of.intermediateSize))));

describe.each<[string, string, number[][]]>([
  ['plain', 'plain/blt', plainCases.map(({ input_ids }) => input_ids)],
  ['with a projection', 'projection-gqa', projectionCases.map(({ ids }) => ids)],
])('the golden model %s', (_name, path, texts) => {
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
  /** Runs in all ways, and leaves nothing in the engine. */
  const withPasses = async (options: PassOptions, look: (mode: string, found: Passes) => void) => {
    const handles = engine.liveHandles();
    const passes = passesOf(model, texts, options);
    try {
      for (const mode of MODES) look(mode, await passes.run(mode));
    } finally {
      passes.dispose();
    }
    expect(engine.liveHandles(), 'handles are left').toBe(handles);
  };

  it('in bfloat16 has the logits and gradients of float32 to its precision, however it runs', async () => {
    const products = productsInARow(model.config);
    // Backward there are two of each, one for either factor.
    const [forward, backward] = [chainError(products), chainError(3 * products)];
    await withPasses(BFLOAT16, (mode, found) => {
      const logits = relativeError([[found.logits, wanted.logits]]);
      expect(logits, `logits, ${mode}`).toBeLessThan(forward);
      expect(logits, `logits, ${mode}`).toBeGreaterThan(LEAST_ERROR);
      const gradients = relativeError(gradientPairs(found, wanted));
      expect(gradients, `gradients, ${mode}`).toBeLessThan(backward);
      expect(gradients, `gradients, ${mode}`).toBeGreaterThan(LEAST_ERROR);
      // A cross-entropy is a difference of logits and of their weighted mean: twice the error of one, were it alike for all bytes.
      const meanLogit = Math.hypot(...wanted.logits) / Math.sqrt(wanted.logits.length);
      expect(Math.abs(found.loss - wanted.loss) / bytes, `loss, ${mode}`).toBeLessThan(2 * forward * meanLogit);
      // One tensor has few values, so that errors are less evened out, and may be what larger ones leave over: a factor for both.
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(3 * backward);
    });
  });

  it('whose layers are computed again has the same loss and gradients, however it runs', async () => {
    await withPasses(AGAIN, (mode, found) => {
      const backward = chainError(3 * productsInARow(model.config), sumError(model.config));
      expect(Math.abs(found.loss / wanted.loss - 1), `loss, ${mode}`).toBeLessThan(backward);
      expect(relativeError(gradientPairs(found, wanted)), `gradients, ${mode}`).toBeLessThan(backward);
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(3 * backward);
    });
  });

  it('computes layers again in the precision of the first time', async () => {
    const [once, again] = [passesOf(model, texts, BFLOAT16), passesOf(model, texts, BOTH)];
    try {
      for (const mode of ['eager', 'graph'] as const) {
        const [first, second] = [await once.run(mode), await again.run(mode)];
        expect(second.loss).toBe(first.loss);
        expect(relativeError(gradientPairs(second, first)), mode).toBeLessThan(1e-6);
      }
    } finally {
      once.dispose();
      again.dispose();
    }
  });
});
