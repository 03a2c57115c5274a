/** @module The batches of a run, made ahead of the steps that take them: another thread prepares them, the patcher and the source run here. */
import type { PatcherOutput } from '../../patching/index.js';
import type { ByteBatch, Preparer, PreparerSettings } from './batch-preparer.js';
import { openPreparer } from './open-preparer.js';
import type { StepBatch } from './step-batch.js';

export interface BatchSourceOptions extends PreparerSettings {
  /** Runs the patcher on a micro-batch. The output changes hands: nobody else may use it. */
  readonly runPatcher: (batch: ByteBatch) => Promise<PatcherOutput>;
  /** Adds the source's states to a batch; left out where no step reads them. */
  readonly states?: (batch: StepBatch) => Promise<StepBatch>;
}

export interface BatchSource {
  /** The next step's batch. Those after it are made while the step runs. @throws what making it threw; then all later ones throw it. */
  next(): Promise<StepBatch>;
  /** Stops making batches and waits for the one in the works, so that what it uses may be released. */
  close(): Promise<void>;
}

/** Batches that are made ahead: with two, one that takes longer than a step is made up for by the one before. */
const AHEAD = 2;

/**
 * Batches in the packer's order. Each carries where the run stands after it, so what was made ahead and never taken leaves no trace.
 * @param open how the preparer is opened; it is when the first batch is asked for.
 */
export function createBatchSource(options: BatchSourceOptions, open = openPreparer): BatchSource {
  const { runPatcher, states, ...settings } = options;
  const ahead: Promise<StepBatch>[] = [];
  let preparer: Preparer | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new Error('the source of batches is closed');
  };

  async function make(): Promise<StepBatch> {
    checkOpen();
    preparer ??= open(settings);
    const outputs: PatcherOutput[] = [];
    for (const bytes of await preparer.pack()) {
      checkOpen();
      outputs.push(await runPatcher(bytes));
    }
    const batch = await preparer.batch(outputs);
    checkOpen();
    return states === undefined ? batch : await states(batch);
  }

  /** One after the other: a preparer makes one batch at a time, and the patcher is run once at a time. */
  function begin(): void {
    const made = last.then(make);
    // Whoever takes it hears of a failure; nobody may, when a run is stopped.
    made.catch(() => {});
    ahead.push(made);
    last = made;
  }

  return {
    async next() {
      while (ahead.length <= AHEAD) begin();
      return await ahead.shift()!;
    },
    async close() {
      closed = true;
      await last.catch(() => {});
      await preparer?.close();
    },
  };
}
