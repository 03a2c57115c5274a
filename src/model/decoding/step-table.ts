/** @module The steps of one decoding by their shapes. Each is created when it is first needed, and compiled in the background once requested. */
import type { RunMode } from '../../engine/index.js';
import type { KvCache } from './kv-cache.js';
import type { ResidentModel } from './resident-model.js';
import type { StepFunction, StepMode } from './step-function.js';
import { decoderStep, encoderStep, globalStep, patcherStep, poolStep, type StepShape } from './steps.js';

/** The number of slots in a step, and of new positions per slot. */
export type StepSize = Pick<StepShape, 'slots' | 'count'>;

export interface PoolSize extends StepSize {
  /** Number of bytes to pool, padding included. */
  readonly members: number;
}

export interface StepTable {
  patcher(size: StepSize): ReturnType<typeof patcherStep>;
  encoder(size: StepSize): ReturnType<typeof encoderStep>;
  /** `count` patches per slot. */
  pool(size: PoolSize): ReturnType<typeof poolStep>;
  global(size: StepSize): ReturnType<typeof globalStep>;
  decoder(size: StepSize): ReturnType<typeof decoderStep>;
  /**
   * From now on compiles steps, existing and future ones, one after the other on another thread. They run uncompiled until then.
   * @returns when none is left to compile. @throws the error of the first step that could not be compiled
   */
  compileInBackground(): Promise<void>;
  dispose(): void;
}

/** A step, and the capacity of the buffer for which it was created: a buffer that has grown since needs a new step. */
interface Entry {
  readonly capacity: number;
  readonly step: StepFunction<never>;
}

/**
 * @param mode with `xla`, steps are compiled in the background: those of one position per slot by XLA; longer steps only read prompts and run
 * too rarely for that, so they become graphs.
 */
export function createStepTable(model: ResidentModel, cache: KvCache, mode: RunMode): StepTable {
  const entries = new Map<string, Entry>();
  const uncompiled: { readonly key: string; readonly count: number; readonly step: StepFunction<never> }[] = [];
  let compiles = false;
  let compiling: Promise<void> | null = null;

  async function compileAll(): Promise<void> {
    const failures: unknown[] = [];
    const isInUse = (key: string, step: StepFunction<never>) => entries.get(key)?.step === step;
    while (uncompiled.length > 0) {
      // First the steps that every byte runs.
      const first = uncompiled.findIndex(({ count }) => count === 1);
      const { key, step } = uncompiled.splice(Math.max(0, first), 1)[0]!;
      if (!isInUse(key, step)) continue;
      await step.compileAhead().catch((error: unknown) => {
        if (isInUse(key, step)) failures.push(error);
      });
    }
    compiling = null;
    if (failures.length > 0) throw failures[0];
  }

  function compileRest(): Promise<void> {
    compiling ??= compileAll();
    return compiling;
  }

  function find<S extends StepFunction<never>>(
    name: string,
    { size, capacity }: { readonly size: StepSize; readonly capacity: number },
    make: () => S,
  ): S {
    const key = `${name} ${size.slots} ${size.count}`;
    const known = entries.get(key);
    if (known?.capacity === capacity) return known.step as S;
    known?.step.dispose();
    const step = make();
    entries.set(key, { capacity, step });
    if (mode === 'xla') uncompiled.push({ key, count: size.count, step });
    // A step that cannot be compiled keeps running uncompiled.
    if (compiles) compileRest().catch(() => undefined);
    return step;
  }

  const how = ({ count }: StepSize): StepMode =>
    mode === 'xla' ? { mode: count === 1 ? 'xla' : 'graph', gradual: true } : { mode, gradual: false };

  return {
    patcher: (size) =>
      find('patcher', { size, capacity: cache.patcher.capacity }, () =>
        patcherStep(model, cache.patcher, { ...size, ...how(size) }),
      ),
    encoder: (size) =>
      find('encoder', { size, capacity: cache.states.capacity }, () =>
        encoderStep(model, cache.encoder, cache.states, { ...size, ...how(size) }),
      ),
    pool: (size) =>
      find(`pool ${size.members}`, { size, capacity: cache.states.capacity }, () =>
        poolStep(model, cache.states, { members: size.members, patches: size.slots * size.count, ...how(size) }),
      ),
    global: (size) =>
      find('global', { size, capacity: cache.global.capacity }, () =>
        globalStep(model, cache.global, cache.patches, { ...size, ...how(size) }),
      ),
    decoder: (size) =>
      find('decoder', { size, capacity: cache.states.capacity }, () =>
        decoderStep(model, cache.decoder, cache.states, cache.patches, { ...size, ...how(size) }),
      ),
    async compileInBackground() {
      compiles = true;
      await compileRest();
    },
    dispose() {
      for (const { step } of entries.values()) step.dispose();
      entries.clear();
    },
  };
}
