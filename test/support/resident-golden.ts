/** Golden models as resident models, and as tensors for the full forward pass. The engine must be started. */
import { afterAll, beforeAll } from 'vitest';
import { type BltConfig, bltTensors } from '../../src/blt/index.js';
import { createVariable, startEngine, tf } from '../../src/engine/index.js';
import { type BltModel, openBlt, type ResidentModel } from '../../src/model/index.js';
import { goldenPath } from './golden.js';

export interface ResidentGolden {
  readonly resident: ResidentModel;
  readonly model: BltModel;
  dispose(): void;
}

/** @param change of the tensors, which it may dispose and replace */
export async function openResidentGolden(
  name: string,
  change: (params: Map<string, tf.Tensor>) => void = () => undefined,
): Promise<ResidentGolden> {
  const opened = await openBlt(goldenPath(name));
  const params = new Map(opened.params);
  change(params);
  return residentOf(opened.config, params);
}

/** A golden model's config and tensors as both forms of the model. */
export function residentOf(golden: BltConfig, params: Map<string, tf.Tensor>): ResidentGolden {
  // The golden models' configs limit texts to a few bytes; nothing else in the models depends on the limit.
  const { encoder, decoder } = golden;
  const config = {
    ...golden,
    encoder: { ...encoder, maxPositions: 1000 },
    decoder: { ...decoder, maxPositions: 1000 },
  };
  const used = bltTensors(config).filter(({ unused }) => !unused);
  const weights = new Map(used.map(({ name }) => [name, createVariable(params.get(name)!)] as const));
  return {
    model: { config, params, dispose: () => tf.dispose([...params.values()]) },
    resident: { config, weights },
    dispose() {
      for (const variable of weights.values()) variable.dispose();
      tf.dispose([...params.values()]);
    },
  };
}

/** The same weights under another config. */
export const withConfig = (golden: ResidentGolden, changed: Partial<BltConfig>): ResidentGolden => {
  const config = { ...golden.model.config, ...changed };
  return { ...golden, resident: { ...golden.resident, config }, model: { ...golden.model, config } };
};

/** A golden model that is open during the tests of the enclosing block. */
export function residentGolden(name: string): Pick<ResidentGolden, 'resident' | 'model'> {
  let opened: ResidentGolden;
  beforeAll(async () => {
    await startEngine({ threads: 2 });
    opened = await openResidentGolden(name);
  });
  afterAll(() => opened.dispose());
  return {
    get resident() {
      return opened.resident;
    },
    get model() {
      return opened.model;
    },
  };
}
