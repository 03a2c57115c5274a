import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../src/engine/index.js';
import { type BltModel, openBlt } from '../../src/model/index.js';
import { goldenPath, plainCases, projectionCases } from '../support/golden.js';
import { gradientPairs, type Passes, type PassOptions, passesOf, relativeError } from './samples.js';

const PLAIN: PassOptions = { precision: 'float32', gradientCheckpointing: false };
const BFLOAT16: PassOptions = { precision: 'bfloat16', gradientCheckpointing: false };
const AGAIN: PassOptions = { precision: 'float32', gradientCheckpointing: true };
const BOTH: PassOptions = { precision: 'bfloat16', gradientCheckpointing: true };

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const MODES = ['eager', 'graph', 'xla'] as const;

describe.each<[string, string, number[][]]>([
  ['plain', 'plain/blt', plainCases.map(({ input_ids }) => input_ids)],
  ['with a projection', 'projection-gqa', projectionCases.map(({ ids }) => ids)],
])('the golden model %s', (_name, path, texts) => {
  let model: BltModel;
  let wanted: Passes;
  let handles: number;
  beforeAll(async () => {
    handles = engine.liveHandles();
    model = await openBlt(goldenPath(path));
    const passes = passesOf(model, texts, PLAIN);
    wanted = await passes.run('eager');
    passes.dispose();
  });
  const withPasses = async (options: PassOptions, look: (mode: string, found: Passes) => void) => {
    const passes = passesOf(model, texts, options);
    for (const mode of MODES) look(mode, await passes.run(mode));
    passes.dispose();
  };

  it('in bfloat16 has the logits and gradients of float32 to its precision, however it runs', async () => {
    await withPasses(BFLOAT16, (mode, found) => {
      // Eight bits a factor: below 1e-3 nothing would have been rounded.
      const logits = relativeError([[found.logits, wanted.logits]]);
      expect(logits, `logits, ${mode}`).toBeLessThan(0.012);
      expect(logits, `logits, ${mode}`).toBeGreaterThan(1e-3);
      const gradients = relativeError(gradientPairs(found, wanted));
      expect(gradients, `gradients, ${mode}`).toBeLessThan(0.015);
      expect(gradients, `gradients, ${mode}`).toBeGreaterThan(1e-3);
      expect(Math.abs(found.loss / wanted.loss - 1), `loss, ${mode}`).toBeLessThan(1e-3);
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(0.06);
    });
  });

  it('whose layers are computed again has the same loss and gradients, however it runs', async () => {
    await withPasses(AGAIN, (mode, found) => {
      expect(Math.abs(found.loss / wanted.loss - 1), `loss, ${mode}`).toBeLessThan(1e-6);
      expect(relativeError(gradientPairs(found, wanted)), `gradients, ${mode}`).toBeLessThan(1e-6);
      for (const [name, gradient] of wanted.gradients)
        expect(relativeError([[found.gradients.get(name)!, gradient]]), `${name}, ${mode}`).toBeLessThan(1e-5);
    });
  });

  it('computes layers again in the precision of the first time', async () => {
    const [once, again] = [passesOf(model, texts, BFLOAT16), passesOf(model, texts, BOTH)];
    for (const mode of ['eager', 'graph'] as const) {
      const [first, second] = [await once.run(mode), await again.run(mode)];
      expect(second.loss).toBe(first.loss);
      expect(relativeError(gradientPairs(second, first)), mode).toBeLessThan(1e-6);
    }
    once.dispose();
    again.dispose();
  });

  it('leaves nothing in the engine, whichever way it ran', () => {
    model.dispose();
    expect(engine.liveHandles()).toBe(handles);
  });
});
