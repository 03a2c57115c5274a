/**
 * @module Stage 0: initialisation (docs/distillation.md). It fits the encoder's tables and feed-forward units to the embeddings of tokens, trains
 * an n-gram model in the tables' spare channels, fits the projection by least squares, and fits the decoder's first layer and the head to the
 * source's next-byte distribution. Each fit runs the model as it is at that point; attention is idle in all of them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BltConfig, bltTensors, closedFormFlops, closedFormText } from '../../../blt/index.js';
import { textOf } from '../../../data/index.js';
import { tf } from '../../../engine/index.js';
import { ByteifyError } from '../../../errors.js';
import { makeFolder, readMetrics } from '../../../fs/index.js';
import { disposeParams, loadParams, sourceEmbedding, sourceNorm } from '../../../model/index.js';
import { type StageOf, wantedTexts } from '../../../recipe/index.js';
import { openCheckpoint, overlay, type TensorReader } from '../../../safetensors/index.js';
import { checkpointName } from '../../loop/checkpoint.js';
import { openMetrics } from '../../loop/metrics-log.js';
import type { Teacher } from '../../teacher/teacher.js';
import type { StageContext } from '../stage-context.js';
import { validationMetrics } from '../validation-metrics.js';
import { decoderTensors } from './decoder-tensors.js';
import { encoderTensors, type Tensors } from './encoder-tensors.js';
import { fitDecoder } from './fit-decoder.js';
import { fitEncoder } from './fit-encoder.js';
import { fitProjection } from './fit-projection.js';
import { addNgrams, contentVectors, fitTables, tablesOf } from './fit-tables.js';
import { fittingBatches } from './fitting-text.js';
import { layoutOf } from './layout.js';
import { trainNgramModel } from './ngram-model.js';
import { openObservations } from './observations.js';
import { observe } from './observe.js';
import { openFitting } from './open-fitting.js';
import { quietBranches } from './quiet-branches.js';
import { METRICS_FILE, writeFitted } from './write-fitted.js';

/** What the n-gram tables are multiplied by, of a state's scale: their sums reach a few units. */
const NGRAM_SHARE = 0.25;

/**
 * Fits the model and writes it as checkpoint 0 of the run, unless that checkpoint exists.
 * @returns the metrics, including `flops`.
 * @throws ByteifyError when a fit fails or an existing checkpoint is damaged; the signal's reason.
 */
export async function closedForm(
  context: StageContext,
  settings: StageOf<'closed-form'>,
  source: Teacher,
): Promise<Readonly<Record<string, number>>> {
  const { run, from, config } = context;
  const folder = join(run, checkpointName(0));
  if (existsSync(folder)) {
    const path = join(folder, METRICS_FILE);
    const hint = `Remove ${folder} to run the stage again.`;
    const known = await readMetrics(path, hint);
    if (known === null) throw new ByteifyError(`${path} is missing.`, { hint });
    return known;
  }
  await makeFolder(run);
  const start = overlay(await Promise.all(from.map(openCheckpoint)));
  try {
    const { fitted, flops } = await fitModel(context, settings, source, start);
    const params = new Map(await loadParams(start, unfittedNames(config, fitted)));
    for (const { name, shape } of bltTensors(config))
      if (fitted.has(name)) params.set(name, tf.tensor(fitted.get(name)!, [...shape]));
    const measured = await validationMetrics(params, config, context.heldOut);
    disposeParams(params);
    // The patches are those of the stages that follow.
    const bits = Object.entries(measured).filter(([name]) => name.startsWith('validation_bits_per_byte'));
    const metrics = { ...Object.fromEntries(bits), flops: context.flopsBefore + flops };
    await writeFitted({ folder, root: context.root, config, start, fitted, metrics });
    const log = await openMetrics(run, 0);
    await log.write(0, metrics);
    await log.close();
    return metrics;
  } finally {
    await start.close();
  }
}

/** Runs the fits one after the other. @param start the remapped model. @returns all fitted tensors, and the work in FLOPs. */
async function fitModel(
  context: StageContext,
  settings: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<{ fitted: Tensors; flops: number }> {
  const { config, store } = context;
  const { encoder, decoder, ridge, vocabulary_weight: vocabularyWeight } = settings;
  const layout = layoutOf(config);
  const ngramScale = NGRAM_SHARE * layout.scale;
  const read = closedFormText(wantedTexts(settings), textOf(store.train).byteCount);
  const { solveBytes } = read;
  const { text, source, states, scratchModel, close } = await openFitting(context, settings, teacher, start);
  const { seed, signal } = text;
  const embedding = sourceEmbedding(source);
  const vectors = contentVectors(embedding, layout);
  const seen = openObservations(join(context.run, 'observed-tokens.bin'), vectors);
  try {
    const { reader } = teacher;
    const observed = { text, reader, vectors, skipBytes: solveBytes, bytes: read.textBytes, vocabularyWeight };
    const counts = await observe({ ...observed, into: seen });
    const tables = await fitTables(config, layout, seen, encoder === 'back-off');
    scratchModel.replace(encoderTensors(config, layout));
    scratchModel.replace(decoderTensors(config, layout, sourceNorm(source).dataSync() as Float32Array));
    scratchModel.replace(quietBranches(config, scratchModel.params()));

    const ngramText = { data: text.data, skipBytes: solveBytes, bytes: read.ngramBytes, length: text.length };
    const ngramShape = { hash: config.hash, width: layout.spare };
    const ngrams = await trainNgramModel({ ...ngramText, ...ngramShape, tokensOf: reader.tokensOf, seed, signal });
    addNgrams(layout, tables, ngrams, ngramScale);

    // TensorFlow keeps the memory of tensors that are replaced, so it gets the tables only when they are complete.
    let patchEnds = 0;
    if (encoder === 'back-off') {
      scratchModel.replace(tables);
    } else {
      const feedForward = encoder === 'feed-forward';
      const fit = await fitEncoder({ config, layout, seen, tables: tablesOf(tables), feedForward, seed, signal });
      scratchModel.replace(fit.tensors);
      patchEnds = fit.positions;
    }
    const patches = fittingBatches(text, solveBytes, ['encoder']);
    scratchModel.replace(await fitProjection(config, layout, scratchModel, embedding, patches, ridge));

    const batches = fittingBatches(text, solveBytes, ['states', 'bytes'], states.add);
    const predicted = { config, layout, source, params: scratchModel.params, ngrams, ngramScale };
    const { tensors, positions } = await fitDecoder({ ...predicted, decoder, batches, seed, signal });
    scratchModel.replace(tensors);

    const { bytes, bytesPerPatch, bytesPerToken } = counts;
    const flops = closedFormFlops({
      config,
      text: { bytes: settings.sequence_length, bytesPerPatch },
      source: { vocabSize: teacher.llama.config.vocabSize, bytesPerToken },
      work: { textBytes: bytes, solveBytes, ngramBytes: ngrams.ngramBytes, encoder, decoder, patchEnds, positions },
    });
    return { fitted: new Map(scratchModel.fitted), flops };
  } finally {
    await seen.close();
    await close();
  }
}

/** The names of the tensors that keep their values. */
const unfittedNames = (config: BltConfig, fitted: ReadonlyMap<string, Float32Array>): string[] =>
  bltTensors(config).flatMap(({ name }) => (fitted.has(name) ? [] : [name]));
