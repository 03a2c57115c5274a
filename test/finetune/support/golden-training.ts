/** What tests of training steps share: the engine, the plain golden model, and inputs made of short rows. */
import { beforeAll } from 'vitest';
import type { PackedRow } from '../../../src/data/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { goldenStart, type Start, stepInput } from '../../support/training.js';

/** Positions per row. */
export const LENGTH = 48;

export interface GoldenTraining {
  readonly engine: Engine;
  readonly start: Start;
}

/** Starts the engine and reads the plain golden model before the tests of a file; the result is empty until then. */
export function useGoldenTraining(): GoldenTraining {
  const golden: { -readonly [Key in keyof GoldenTraining]?: GoldenTraining[Key] } = {};
  beforeAll(async () => {
    golden.engine = await startEngine({ threads: 2 });
    golden.start = await goldenStart();
  });
  return golden as GoldenTraining;
}

/** The input of a step of one micro-batch, with a patch capacity that suffices for any cut. */
export const inputOf = ({ config }: Start, rows: readonly PackedRow[]) => stepInput(config, [rows], LENGTH);
