/** Golden models as decoding holds them, beside the tensors that the full forward reads. The engine must be started. */
import { afterAll, beforeAll } from 'vitest';
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import { createVariable, startEngine, tf } from '../../src/engine/index.js';
import { type BltModel, openBlt, type ResidentModel } from '../../src/model/index.js';
import { goldenPath } from './golden.js';

export interface HeldGolden {
  readonly held: ResidentModel;
  readonly model: BltModel;
  dispose(): void;
}

/** @param change of the tensors, which it may dispose and replace */
export async function openHeldGolden(
  name: string,
  change: (params: Map<string, tf.Tensor>) => void = () => undefined,
): Promise<HeldGolden> {
  const opened = await openBlt(goldenPath(name));
  const params = new Map(opened.params);
  change(params);
  // The golden models are for few bytes by their config; nothing in them depends on it.
  const { encoder, decoder } = opened.config;
  const config = {
    ...opened.config,
    encoder: { ...encoder, maxPositions: 1000 },
    decoder: { ...decoder, maxPositions: 1000 },
  };
  const weights = new Map(bltTensors(config).map(({ name: at }) => [at, createVariable(params.get(at)!)] as const));
  return {
    model: { config, params, dispose: () => tf.dispose([...params.values()]) },
    held: { config, weights },
    dispose() {
      for (const variable of weights.values()) variable.dispose();
      tf.dispose([...params.values()]);
    },
  };
}

/** The same weights under another config. */
export const withConfig = (golden: HeldGolden, changed: Partial<BltConfig>): HeldGolden => {
  const config = { ...golden.model.config, ...changed };
  return { ...golden, held: { ...golden.held, config }, model: { ...golden.model, config } };
};

/** A golden model that is open for the tests of the block it is called in. */
export function heldGolden(name: string): Pick<HeldGolden, 'held' | 'model'> {
  let opened: HeldGolden;
  beforeAll(async () => {
    await startEngine({ threads: 2 });
    opened = await openHeldGolden(name);
  });
  afterAll(() => opened.dispose());
  return {
    get held() {
      return opened.held;
    },
    get model() {
      return opened.model;
    },
  };
}
