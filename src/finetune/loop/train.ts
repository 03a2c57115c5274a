/** @module The training loop of both the patcher and the BLT. An objective defines what is trained and the loss; open-run.ts connects the parts. */
import { ByteifyError } from '../../errors.js';
import { disposeParams } from '../../model/index.js';
import { CROSS_ENTROPY } from '../stages/objective.js';
import { openRun } from './open-run.js';
import { watchSlowProcesses } from './slow-process.js';
import type { TrainOptions, TrainResult } from './train-options.js';
import { createWaitMeter } from './wait-meter.js';

/**
 * Trains until the last step. If the signal is aborted, it saves a checkpoint and throws the signal's reason. The engine must be started.
 * @throws ByteifyError when the loss is no longer finite (the last checkpoint is kept), or the existing run has other settings.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { plan, signal } = options;
  const {
    batches,
    stepper,
    parameters,
    log,
    save,
    close,
    company,
    gradientSum,
    state: resumed,
  } = await openRun(options);
  const waits = createWaitMeter();
  const slowProcess = watchSlowProcesses();
  let state = resumed;

  async function validate(): Promise<void> {
    if (options.validate === undefined || !company.leads) return;
    const params = parameters.params();
    try {
      state = { ...state, metrics: await options.validate(params) };
    } finally {
      disposeParams(params);
    }
    await log.write(state.step, { ...state.metrics, flops: state.flops });
  }

  try {
    if (state.step === 0) await validate();
    while (state.step < plan.steps) {
      const startedAt = performance.now();
      const batch = await batches.next();
      const preparedAt = performance.now();
      const waited = preparedAt - startedAt;

      const step = state.step + 1;
      const learningRate = plan.learningRateAt(step);
      const { loss, parts, gradientNorm } = await stepper.run({ ...batch, step, learningRate });
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw divergence(step, options.run);
      const flops = state.flops + options.flopsOf(batch);
      state = { ...state, step, packer: batch.packer, room: batch.capacity, flops };

      const elapsed = performance.now() - startedAt;
      waits.add(waited, elapsed);
      const losses = namedLosses(parts);
      const bytesPerSecond = batch.bytes / (elapsed / 1000);
      await log.write(step, {
        ...losses,
        learning_rate: learningRate,
        gradient_norm: gradientNorm,
        bytes: batch.bytes,
        bytes_per_second: bytesPerSecond,
        data_wait_fraction: waited / elapsed,
        flops,
      });
      options.onStep?.({ step, steps: plan.steps, losses, bytesPerSecond });
      const ownMs = gradientSum?.ownMs(preparedAt) ?? 0;
      const { stop, ms } = await company.afterStep({ stop: signal.aborted, ms: ownMs });
      const slow = slowProcess(ms);
      if (slow !== null) options.onSlowProcess?.(slow);

      const isLast = step === plan.steps;
      if (step % plan.validateEvery === 0 || isLast) await validate();
      if (step % plan.checkpointEvery === 0 || isLast || stop) await save(state);
      if (stop) throw signal.reason ?? new DOMException('Another process was asked to stop.', 'AbortError');
    }
    return { params: parameters.params(), metrics: { ...state.metrics, ...waits.metrics(), flops: state.flops } };
  } finally {
    await close();
  }
}

/** The loss terms by their names in metrics.jsonl: next-byte loss in bits per byte, all others as they are. */
function namedLosses(parts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, value]) =>
      name === CROSS_ENTROPY ? ['train_bits_per_byte', value / Math.LN2] : [`train_${name}`, value],
    ),
  );
}

function divergence(step: number, run: string): ByteifyError {
  return new ByteifyError(`The loss is not a finite number at step ${step}; the run in ${run} stopped there.`, {
    hint: 'Lower the learning rate or clip_norm; the last checkpoint is kept.',
  });
}
