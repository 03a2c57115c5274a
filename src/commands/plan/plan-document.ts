/** @module A plan as the `--json` document: snake_case, units in names, null for unknown values. */

import { totalFlops } from '../../blt/index.js';
import type { DividedBudget, Plan } from '../../plan/index.js';

/**
 * @param about.gflops the sustained rate from which the times follow, in GFLOP/s; null when unknown.
 * @param about.divided the budget from which the steps follow; null without one.
 */
export function planDocument(
  plan: Plan,
  { model, gflops, divided }: { model: string; gflops: number | null; divided: DividedBudget | null },
) {
  return {
    model,
    gflops_per_second: gflops,
    ...(divided !== null && {
      budget: { flops: divided.flops, unspent_flops: divided.unspentFlops, text_bytes: divided.textBytes },
    }),
    parameters: plan.parameters,
    bytes_per_patch: plan.bytesPerPatch,
    forward_flops_per_byte: Object.fromEntries(
      Object.entries(plan.forward).map(([part, flops]) => [part, totalFlops(flops)]),
    ),
    memory_bytes: plan.memoryBytes,
    disk_bytes: plan.diskBytes,
    seconds: plan.seconds,
    stages: plan.stages.map(({ stage, diskBytes, training }) => ({
      stage,
      disk_bytes: diskBytes,
      ...(training !== null && {
        trained_parameters: training.trainedParameters,
        steps: training.steps,
        text_bytes: training.bytes,
        flops_per_byte: training.flopsPerByte,
        source_flops_per_byte: training.sourceFlopsPerByte,
        flops: training.flops,
        memory_bytes: training.memory.peakBytes,
        runtime_bytes: training.memory.runtimeBytes,
        weights_bytes: training.memory.weightsBytes,
        source_bytes: training.memory.sourceBytes,
        sums_bytes: training.memory.sumsBytes,
        gradients_bytes: training.memory.gradientsBytes,
        moments_bytes: training.memory.momentsBytes,
        activations_bytes: training.memory.activationsBytes,
        seconds: training.seconds,
      }),
    })),
  };
}
