/**
 * @module Chooses how steps run if the recipe says `auto`. OpenXLA compiles the whole step. On a CPU, TensorFlow's graph with fused chains
 * has faster matrix products and XLA has less overhead, so one layer of each transformer is timed in both modes if the run is long enough for
 * the choice to matter.
 */
import { type BltConfig, layerTensors, type TransformerConfig } from '../../blt/index.js';
import { type CompileMode, onOpenXla, type RunMode, signatureOf, tensorFunction, tf } from '../../engine/index.js';
import { block, blockContext } from '../../model/transformer.js';
import { lossAndGradients } from './gradients.js';

export interface StepModeOptions {
  readonly config: BltConfig;
  /** Whether the whole BLT is trained, or the patcher alone. */
  readonly wholeModel: boolean;
  readonly rows: number;
  readonly length: number;
  /** Of the whole run. */
  readonly steps: number;
}

/** Bytes per patch, assumed for the length of the global transformer's sequences. */
const BYTES_PER_PATCH = 4;
/** Seconds. If the layers of a whole run take less than this in graph mode, XLA's compilation would not pay off. */
const MIN_GRAPH_SECONDS = 60;
/** XLA is chosen only below this share of the graph's time, since its compilation has to be paid for too. */
const MAX_XLA_SHARE = 0.85;

/** Milliseconds of one layer's forward and backward pass in a mode: the fastest of three calls after a warm-up. */
async function timeLayer(config: TransformerConfig, rows: number, length: number, mode: CompileMode): Promise<number> {
  const tensors = layerTensors('global', 'layer', config);
  const inputs = tf.tidy(() => [
    tf.randomNormal([rows * length, config.hiddenSize]),
    ...tensors.map(({ shape }) => tf.fill([...shape], shape.length === 1 ? 1 : 0.01)),
  ]);
  const layer = tensorFunction(
    (...values) => {
      const inputsByName = new Map(values.map((value, i) => [i === 0 ? 'x' : tensors[i - 1]!.name, value]));
      const { loss, gradients } = lossAndGradients(inputsByName, (params) => {
        const context = blockContext(config, { rows, length, documents: null });
        return tf.sum(block(params.get('x')!, params, 'layer', context)) as tf.Scalar;
      });
      return [loss, ...gradients];
    },
    signatureOf(inputs),
    mode,
  );
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const startedAt = performance.now();
    tf.dispose([...(await layer.call(inputs))]);
    if (i > 0) best = Math.min(best, performance.now() - startedAt);
  }
  layer.dispose();
  tf.dispose(inputs);
  return best;
}

/** The transformers that a step runs, each with its rows and their length in positions. */
function transformers({ config, wholeModel, rows, length }: StepModeOptions): [TransformerConfig, number, number][] {
  if (!wholeModel) return [[config.patcher, rows, length]];
  const local = { ...config.decoder, layers: config.decoder.layers + config.encoder.layers };
  return [
    [local, rows, length],
    [config.global, rows, Math.ceil(length / BYTES_PER_PATCH)],
  ];
}

/** Chooses the mode of a run. The choice is measured, so two runs may differ; a resumed run keeps its own. The engine must be started. */
export async function chooseMode(options: StepModeOptions): Promise<RunMode> {
  if (onOpenXla()) return 'xla';
  const total = async (mode: CompileMode) => {
    let ms = 0;
    for (const [config, rows, length] of transformers(options))
      ms += config.layers * (await timeLayer(config, rows, length, mode));
    return ms;
  };
  const graph = await total('graph');
  if ((graph * options.steps) / 1000 < MIN_GRAPH_SECONDS) return 'graph';
  return (await total('xla')) < graph * MAX_XLA_SHARE ? 'xla' : 'graph';
}
