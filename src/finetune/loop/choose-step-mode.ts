/**
 * @module How a step is to run, where the recipe leaves it open. On a GPU XLA compiles the whole step. On a CPU TensorFlow's graph with fused
 * chains has the faster products, and XLA the smaller overhead: a layer of each transformer is timed both ways, for runs that are long
 * enough for the choice to matter.
 */
import { type BltConfig, layerTensors, type TransformerConfig } from '../../blt/index.js';
import {
  type CompileMode,
  canCompile,
  onGpu,
  type RunMode,
  signatureOf,
  tensorFunction,
  tf,
} from '../../engine/index.js';
import { block, blockContext } from '../../model/transformer.js';
import { lossAndGradients } from './gradients.js';

export interface ModeQuestion {
  readonly config: BltConfig;
  /** Whether the whole model is trained, or the patcher alone. */
  readonly whole: boolean;
  readonly rows: number;
  readonly length: number;
  /** Of the run. */
  readonly steps: number;
}

/** Bytes a patch that the latent global transformer's length is guessed from. */
const BYTES_PER_PATCH = 4;
/** Runs whose layers take less than this in graph mode are not worth a compilation by XLA, seconds. */
const WORTH_TIMING_S = 60;
/** What XLA must save to be taken: its compilation costs about as much. */
const NEEDED_GAIN = 0.85;

/** Milliseconds of a layer's forward and backward pass in a mode: the best of a few. */
async function timeLayer(config: TransformerConfig, rows: number, length: number, mode: CompileMode): Promise<number> {
  const tensors = layerTensors('global', 'layer', config);
  const inputs = tf.tidy(() => [
    tf.randomNormal([rows * length, config.hiddenSize]),
    ...tensors.map(({ shape }) => tf.fill([...shape], shape.length === 1 ? 1 : 0.01)),
  ]);
  const layer = tensorFunction(
    (...values) => {
      const moved = new Map(values.map((value, i) => [i === 0 ? 'x' : tensors[i - 1]!.name, value]));
      const { loss, gradients } = lossAndGradients(moved, (params) => {
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
    const begun = performance.now();
    tf.dispose([...(await layer.call(inputs))]);
    if (i > 0) best = Math.min(best, performance.now() - begun);
  }
  layer.dispose();
  tf.dispose(inputs);
  return best;
}

/** The transformers that a step runs, with the positions they run over. */
function transformers({ config, whole, rows, length }: ModeQuestion): [TransformerConfig, number, number][] {
  if (!whole) return [[config.patcher, rows, length]];
  const local = { ...config.decoder, layers: config.decoder.layers + config.encoder.layers };
  return [
    [local, rows, length],
    [config.global, rows, Math.ceil(length / BYTES_PER_PATCH)],
  ];
}

/** The mode for a run. It is measured, so two runs may differ; a run that goes on keeps its own. */
export async function chooseMode(question: ModeQuestion): Promise<RunMode> {
  if (!canCompile()) return 'eager';
  if (onGpu()) return 'xla';
  const total = async (mode: CompileMode) => {
    let ms = 0;
    for (const [config, rows, length] of transformers(question))
      ms += config.layers * (await timeLayer(config, rows, length, mode));
    return ms;
  };
  const graph = await total('graph');
  if ((graph * question.steps) / 1000 < WORTH_TIMING_S) return 'graph';
  return (await total('xla')) < graph * NEEDED_GAIN ? 'xla' : 'graph';
}
