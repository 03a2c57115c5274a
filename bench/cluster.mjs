// Memory and traffic of training large models on many GPUs, fully sharded, on paper: from the plan's counters and the published rates of an H100.
// Nothing of it was measured: it says what limits a cluster, not how fast one is.
// Run: npm run bench:cluster [-- --models llama-3.1-8b,llama-3.1-70b --gpus 8,64,512 --out docs/bench/cluster]
import { parseArgs } from 'node:util';
import { bltConfigFor } from '../dist/blt/index.js';
import { ringBytes, usedParametersByPart } from '../dist/plan/index.js';
import { loadRecipe, localSizesOf } from '../dist/recipe/index.js';
import { trainingsOf } from '../scripts/check-accelerator/plan-of.mjs';
import { sourceOf } from '../scripts/check-accelerator/sources.mjs';
import { table } from './markdown-table.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    models: { type: 'string', default: 'llama-3.1-8b,llama-3.1-70b' },
    gpus: { type: 'string', default: '8,64,512' },
    out: { type: 'string' },
  },
});
const counts = values.gpus.split(',').map(Number);

/** NVIDIA's data sheet of the H100 SXM: dense bfloat16 products; and the share of it that large models reach in training. */
const FLOPS = 989e12;
const SUSTAINED = 0.4;
/** Bytes per second that a GPU sends: within a machine of eight by NVLink, beyond it by one adapter of 400 Gbit/s per GPU. */
const SENT = { within: 450e9, beyond: 50e9 };
const PER_MACHINE = 8;
/** Weights are read in the forward pass, when layers are recomputed, and for the gradient of their input. */
const READS = 3;
/** The recipes of Llama 3.1 8B, with the larger source. */
const RECIPE = 'llama-3.1-8b';

/** What one GPU keeps, and what it sends for one micro-batch of one row. */
function onGpus(training, hash, gpus) {
  const { memory, trainedParameters, flopsPerByte, microBatch } = training;
  const dense = trainedParameters - (trainedParameters > hash ? hash : 0);
  const frozen = Math.max(0, memory.weightsBytes - 4 * trainedParameters) / 2;
  // Gradients are summed in float32; products read copies in bfloat16, which exist while a layer is computed.
  const divided = memory.weightsBytes + memory.momentsBytes + (4 + 2) * dense;
  const whole = Math.max(0, memory.deviceBytes - divided);
  const gathered = READS * 2 * (dense + frozen);
  const gradients = 4 * dense;
  // A ring that only gathers, or only adds up, sends half of one that does both.
  const sentAmong = (number) => ringBytes(gathered + gradients, number) / 2;
  const machines = gpus / PER_MACHINE;
  // Divided within a machine only: each GPU adds up its eighth of the gradients with its counterparts.
  const hybridSeconds =
    sentAmong(Math.min(gpus, PER_MACHINE)) / SENT.within +
    (machines > 1 ? ringBytes(gradients / PER_MACHINE, machines) / SENT.beyond : 0);
  return {
    gpus,
    memory_bytes: divided / gpus + whole,
    sent_bytes: sentAmong(gpus),
    compute_seconds: (flopsPerByte * microBatch.textBytes) / (FLOPS * SUSTAINED),
    send_seconds: sentAmong(gpus) / (machines > 1 ? SENT.beyond : SENT.within),
    hybrid_memory_bytes: divided / Math.min(gpus, PER_MACHINE) + whole,
    hybrid_send_seconds: hybridSeconds,
  };
}

const report = {
  command: 'npm run bench:cluster',
  flops: FLOPS,
  sustained: SUSTAINED,
  sent_bytes_per_second: SENT,
  stages: [],
};
const rows = [];
for (const model of values.models.split(',')) {
  const recipe = await loadRecipe(RECIPE, { sets: [] });
  const source = sourceOf(model);
  const { hash } = usedParametersByPart(bltConfigFor(source, localSizesOf(source, recipe)));
  for (const training of trainingsOf(recipe, source)) {
    if (training.steps === 0 || training.stage === 'patcher') continue;
    for (const gpus of counts) {
      const found = onGpus(training, hash, gpus);
      report.stages.push({ model, stage: training.stage, ...found });
      const gigabytes = (bytes) => (bytes / 1e9).toFixed(1);
      rows.push([
        model,
        training.stage,
        gpus,
        found.compute_seconds.toFixed(2),
        ...[found.memory_bytes, found.sent_bytes].map(gigabytes),
        found.send_seconds.toFixed(2),
        gigabytes(found.hybrid_memory_bytes),
        found.hybrid_send_seconds.toFixed(2),
      ]);
    }
  }
}
const heads = [
  ...['source', 'stage', 'GPUs', 'seconds of computing'],
  ...['divided over all: GB on each', 'GB sent by each', 'seconds of sending'],
  ...['divided over eight: GB on each', 'seconds of sending'],
];
publish(values.out, 'cluster', { report, markdown: table(heads, rows) });
