/** @module Renders a plan as tables. */

import { type FlopParts, totalFlops } from '../../blt/index.js';
import { type Plan, sumParameters } from '../../plan/index.js';
import { humanBytes, humanCount, humanDuration, humanFlops, renderPairs, renderTable } from '../../ui/index.js';

const right = (title: string) => ({ title, align: 'right' as const });

/** @param gflops the sustained rate from which the times follow, in GFLOP/s; null when unknown. */
export function renderPlan(plan: Plan, { model, gflops }: { model: string; gflops: number | null }): string {
  const parts = Object.entries(plan.parameters).map(([part, parameters]) => {
    const flops = plan.forward[part as keyof FlopParts];
    return [part, humanCount(parameters), flops === undefined ? '' : humanFlops(totalFlops(flops))];
  });
  const stages = plan.stages.map(({ stage, diskBytes, training }) => [
    stage,
    training === null ? '' : humanBytes(training.bytes),
    training === null ? '' : humanFlops(training.flops),
    training === null ? '' : humanBytes(training.memory.peakBytes),
    humanBytes(diskBytes),
    training === null ? '' : duration(training.seconds),
  ]);
  const forward = Object.values(plan.forward).reduce((sum, flops) => sum + totalFlops(flops), 0);
  return [
    renderTable(
      [{ title: 'part' }, right('parameters'), right('forward per byte')],
      [...parts, ['total', humanCount(sumParameters(plan.parameters)), humanFlops(forward)]],
    ),
    renderTable(
      [{ title: 'stage' }, right('text'), right('work'), right('memory'), right('disk'), right('time')],
      stages,
    ),
    renderTable(
      [
        { title: 'memory' },
        ...['weights', 'source', 'sums', 'gradients', 'moments', 'activations', 'runtime', 'peak'].map((title) =>
          right(title),
        ),
      ],
      plan.stages.flatMap(({ stage, training }) => {
        if (training === null) return [];
        const { memory } = training;
        const ofTraining = [memory.gradientsBytes, memory.momentsBytes, memory.activationsBytes];
        const bytes = [memory.weightsBytes, memory.sourceBytes, memory.sumsBytes, ...ofTraining];
        return [[stage, ...[...bytes, memory.runtimeBytes, memory.peakBytes].map(humanBytes)]];
      }),
    ),
    renderPairs([
      ['model', model],
      ['patches', `${plan.bytesPerPatch} bytes on average, the recipe’s target`],
      ['memory', `${humanBytes(plan.memoryBytes)} at peak`],
      ['disk', humanBytes(plan.diskBytes)],
      [
        'training time',
        gflops === null ? UNKNOWN_RATE : `${duration(plan.seconds)} at ${Number(gflops.toPrecision(3))} GFLOP/s`,
      ],
    ]),
  ].join('\n');
}

const UNKNOWN_RATE = 'unknown: give --gflops, or run byteify setup to measure it';

function duration(seconds: number | null): string {
  return seconds === null ? 'unknown' : humanDuration(seconds);
}
