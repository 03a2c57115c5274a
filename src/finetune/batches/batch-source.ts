/** @module The batches of a run, prepared ahead of the steps: another thread does the pure work; the patcher and the source run in this one. */
import type { PatcherOutput } from '../../patching/index.js';
import type { ByteBatch, Preparer, PreparerSettings } from './batch-preparer.js';
import { openPreparer } from './open-preparer.js';
import type { StepBatch } from './step-batch.js';

export interface BatchSourceOptions extends PreparerSettings {
  /** Runs the patcher on a micro-batch. The batch source takes ownership of the output. */
  readonly runPatcher: (batch: ByteBatch) => Promise<PatcherOutput>;
  /** Returns the patcher's outputs of all processes, given those of this one; omitted if a process trains alone. */
  readonly exchange?: (own: readonly PatcherOutput[]) => Promise<readonly PatcherOutput[]>;
  /** Adds the source's states to a batch; omitted if no step reads them. */
  readonly states?: (batch: StepBatch) => Promise<StepBatch>;
}

export interface BatchSource {
  /** Returns the next step's batch and starts preparing the ones after it. @throws what failed; every later call throws it too. */
  next(): Promise<StepBatch>;
  /** Stops preparing batches and waits for the one in progress, so that its resources can be released. */
  close(): Promise<void>;
}

/** How many batches are prepared ahead. With two, a batch that takes longer than a step delays nothing if the one before it was faster. */
const AHEAD = 2;

/**
 * Returns batches in the packer's order. Each carries the state of the run after it, so batches that were prepared and never used leave no trace.
 * @param open opens the preparer when the first batch is requested.
 */
export function createBatchSource(options: BatchSourceOptions, open = openPreparer): BatchSource {
  const { runPatcher, exchange, states, ...settings } = options;
  const ahead: Promise<StepBatch>[] = [];
  let preparer: Preparer | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const checkOpen = () => {
    if (closed) throw new Error('the batch source is closed');
  };

  async function make(): Promise<StepBatch> {
    checkOpen();
    preparer ??= open(settings);
    const outputs: PatcherOutput[] = [];
    for (const bytes of await preparer.pack()) {
      checkOpen();
      outputs.push(await runPatcher(bytes));
    }
    const all = exchange === undefined || outputs.length === 0 ? outputs : await exchange(outputs);
    const batch = await preparer.batch(all);
    checkOpen();
    return states === undefined ? batch : await states(batch);
  }

  /** Starts preparing a batch after the previous one, since the preparer and the patcher process one batch at a time. */
  function begin(): void {
    const made = last.then(make);
    // Whoever takes this batch gets the error. If the run stops, nobody does.
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
