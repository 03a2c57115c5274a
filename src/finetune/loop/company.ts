/** @module What a run does with the other processes that train it: it agrees with them when to stop, and learns which of them is slow. */
import { resolve } from 'node:path';
import type { Channel, ProcessGroup } from '../../group/index.js';
import { gatherValues, shareFromLeader } from '../../group/index.js';
import { exchangeOutputs } from '../batches/exchange-outputs.js';
import { type Share, WHOLE } from '../batches/micro-batches.js';
import { type GradientSum, gradientSum } from './gradient-sum.js';

/** What every process says after a step. */
interface AfterStep {
  readonly stop: boolean;
  /** How long it computed, in milliseconds, without waiting for others. */
  readonly ms: number;
}

export interface Agreement {
  /** Whether one process was asked to stop: all stop after this step. */
  readonly stop: boolean;
  /** How long each process computed, by rank, in milliseconds; empty if one trains alone. */
  readonly ms: readonly number[];
}

/** The processes of a run; or this one, if it trains alone. */
export interface Company {
  /** Whether this process writes what the run leaves on disk. */
  readonly leads: boolean;
  readonly share: Share;
  /** Null if this process trains alone. */
  readonly exchange: ReturnType<typeof exchangeOutputs> | null;
  /** Computes a value on the process that leads, and returns it on all. */
  agreed<T>(compute: () => T | Promise<T>): Promise<T>;
  /** Null if this process trains alone. @param shapes of the dense parameters */
  gradientSum(shapes: readonly (readonly number[])[]): GradientSum | null;
  afterStep(own: AfterStep): Promise<Agreement>;
  close(): void;
}

const ALONE: Company = {
  leads: true,
  share: WHOLE,
  exchange: null,
  agreed: async (compute) => await compute(),
  gradientSum: () => null,
  afterStep: async ({ stop }) => ({ stop, ms: [] }),
  close: () => {},
};

/** @param run the folder of the run, which is the same on all machines */
export function companyOf(group: ProcessGroup | null, run: string): Company {
  if (group === null) return ALONE;
  const channel = (subject: string): Channel => group.channel(`${subject} of ${resolve(run)}`);
  const [settings, patches, steps] = [channel('the settings'), channel('the patches'), channel('the steps')];
  return {
    leads: group.rank === 0,
    share: { rank: group.rank, size: group.size },
    exchange: exchangeOutputs(patches),
    agreed: (compute) => shareFromLeader(group, settings, compute),
    gradientSum: (shapes) => gradientSum(group, shapes),
    async afterStep(own) {
      const all = await gatherValues(steps, own);
      return { stop: all.some(({ stop }) => stop), ms: all.map(({ ms }) => ms) };
    },
    close() {
      for (const each of [settings, patches, steps]) each.close();
    },
  };
}
