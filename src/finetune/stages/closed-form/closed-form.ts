/**
 * @module Stage 0: initialisation (docs/distillation.md). It fits the encoder's tables and feed-forward units to the embeddings of tokens, trains
 * an n-gram model in the tables' spare channels, fits the projection by least squares, and fits the decoder's first layer and the head to the
 * source's next-byte distribution. Each fit runs the model as it is at that point; attention is idle in all of them.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, closedFormFlops, toTransformersConfig } from '../../../blt/index.js';
import { tf, type Variable } from '../../../engine/index.js';
import { ByteifyError } from '../../../errors.js';
import { bltBitsPerByte } from '../../../evaluate/index.js';
import { makeFolder, readMetrics, writeFolderAtomic } from '../../../fs/index.js';
import {
  createPatcherRunner,
  disposeParams,
  loadParams,
  loadVariable,
  type Params,
  sourceEmbedding,
  sourceNorm,
  tokenEndHead,
} from '../../../model/index.js';
import { requireFields } from '../../../patching/index.js';
import type { StageOf } from '../../../recipe/index.js';
import {
  fromFloat32,
  openCheckpoint,
  overlay,
  type TensorInfo,
  type TensorReader,
} from '../../../safetensors/index.js';
import { checkpointName } from '../../loop/checkpoint.js';
import { chooseMode } from '../../loop/choose-step-mode.js';
import { openMetrics } from '../../loop/metrics-log.js';
import { writeWeights } from '../../loop/write-weights.js';
import { createSourceStates, type SourceStates } from '../../teacher/source-states.js';
import type { Teacher } from '../../teacher/teacher.js';
import type { StageContext } from '../stage-context.js';
import { decoderTensors } from './decoder-tensors.js';
import { encoderTensors } from './encoder-tensors.js';
import { fitDecoder } from './fit-decoder.js';
import { fitEncoder } from './fit-encoder.js';
import { fitProjection } from './fit-projection.js';
import { addNgrams, contentVectors, fitTables, tablesOf, vocabularyTexts } from './fit-tables.js';
import {
  cachePatcherOutputs,
  type FittingText,
  fittingBatches,
  OBSERVED_FIELDS,
  observedTexts,
} from './fitting-text.js';
import { layoutOf } from './layout.js';
import { trainNgramModel } from './ngram-model.js';
import { type Observations, openObservations } from './observations.js';
import { openScratchModel, type ScratchModel } from './scratch-model.js';

/** What the n-gram tables are multiplied by, of a state's scale: their sums reach a few units. */
const NGRAM_SHARE = 0.25;

const METRICS_FILE = 'closed-form.json';

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
    const params = new Map([...(await loadParams(start, unfittedNames(config, fitted)))]);
    for (const { name, shape } of bltTensors(config))
      if (fitted.has(name)) params.set(name, tf.tensor(fitted.get(name)!, [...shape]));
    const { bitsPerByte } = await bltBitsPerByte(params, config, context.heldOut);
    disposeParams(params);
    const metrics = { validation_bits_per_byte: bitsPerByte, flops: context.flopsBefore + flops };
    await writeFitted({ folder, root: context.root, config, start, fitted, metrics });
    const log = await openMetrics(run, 0);
    await log.write(0, metrics);
    await log.close();
    return metrics;
  } finally {
    await start.close();
  }
}

/** The text, the source and the model that the fits work on. */
interface Fitting {
  readonly text: FittingText;
  readonly source: Params;
  readonly states: SourceStates;
  readonly scratchModel: ScratchModel;
  close(): Promise<void>;
}

async function openFitting(
  { config, store, recipe, run, signal, loadsSourceLayers: layers }: StageContext,
  { sequence_length: length, micro_batch_size: rows }: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<Fitting> {
  const mode = await chooseMode({ config, wholeModel: true, rows, length, steps: 1 });
  const wanted = { tensors: ['embedding', 'head'], layers } as const;
  const { tensors, layers: ownLayers, ...sourceSettings } = await teacher.trainingSource(wanted);
  const frozen = new Map([...(await loadFrozen(config, start)), ...tensors, ...ownLayers]);
  const patcher = createPatcherRunner(config, frozen, mode);
  const states = createSourceStates({ config, frozen, mode, cache: null });
  const scratchModel = await openScratchModel(config, start);
  const source: Params = new Map([...tensors].map(([name, variable]) => [name, variable.read()]));
  const { run: runPatcher, close: closePatcherOutputs } = cachePatcherOutputs(
    patcher,
    join(run, 'patcher-outputs.bin'),
  );
  return {
    text: { data: store.train, config, source: sourceSettings, runPatcher, rows, length, seed: recipe.seed, signal },
    source,
    states,
    scratchModel,
    async close() {
      tf.dispose([...source.values()]);
      scratchModel.dispose();
      await states.close();
      await closePatcherOutputs();
      patcher.dispose();
      for (const variable of frozen.values()) variable.dispose();
    },
  };
}

/**
 * Collects what the encoder is fitted to: the tokens of the vocabulary, and the tokens in the training text.
 * @param vectors one row per token. @param skipBytes text at the beginning that is left out: the later fits use it.
 * @returns statistics of the text, for counting floating-point operations.
 */
async function observe(
  text: FittingText,
  settings: StageOf<'closed-form'>,
  { reader }: Teacher,
  vectors: Float32Array,
  skipBytes: number,
  into: Observations,
) {
  for (const entry of vocabularyTexts(reader, vectors, settings.vocabulary_weight)) await into.add(entry);
  let [read, bytes, patches, tokens] = [0, 0, 0, 0];
  for await (const batch of fittingBatches(text, skipBytes + settings.text_bytes, ['encoder'])) {
    read += batch.bytes;
    if (read <= skipBytes) continue;
    for (const micro of batch.batches)
      for (const seen of observedTexts(requireFields(micro, OBSERVED_FIELDS), vectors)) await into.add(seen);
    bytes += batch.bytes;
    patches += batch.patchCount;
    tokens += batch.tokenCount;
  }
  return { bytes, bytesPerPatch: bytes / patches, bytesPerToken: bytes / tokens };
}

async function fitModel(
  context: StageContext,
  settings: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<{ fitted: ReadonlyMap<string, Float32Array>; flops: number }> {
  const { config } = context;
  const { ridge } = settings;
  // The tables are fitted to the rest, which must not be the smaller part: what is fitted on their own text trusts them too much.
  const solveBytes = Math.min(settings.solve_bytes, Math.floor(context.store.train.byteCount / 4));
  const layout = layoutOf(config);
  const { text, source, states, scratchModel, close } = await openFitting(context, settings, teacher, start);
  const embedding = sourceEmbedding(source);
  const vectors = contentVectors(embedding, layout);
  const seen = openObservations(join(context.run, 'observed-tokens.bin'), vectors);
  try {
    const {
      bytes: textBytes,
      bytesPerPatch,
      bytesPerToken,
    } = await observe(...([text, settings, teacher, vectors, solveBytes, seen] as const));
    scratchModel.replace(await fitTables(config, layout, seen, settings.encoder === 'back-off'));
    scratchModel.replace(encoderTensors(config, layout));

    const norm = sourceNorm(source).dataSync() as Float32Array;
    scratchModel.replace(decoderTensors(config, layout, norm));
    const ngrams = await trainNgramModel({
      ...{
        data: text.data,
        hash: config.hash,
        width: layout.spare,
        skipBytes: solveBytes,
        bytes: settings.ngram_bytes,
      },
      ...{ length: settings.sequence_length, tokensOf: teacher.reader.tokensOf, seed: text.seed, signal: text.signal },
    });
    const ngramScale = NGRAM_SHARE * layout.scale;
    scratchModel.replace(addNgrams(layout, scratchModel.fitted, ngrams, ngramScale));
    let patchEnds = 0;
    if (settings.encoder !== 'back-off') {
      const { tensors, positions } = await fitEncoder({
        ...{ config, layout, seen, tables: tablesOf(scratchModel.fitted), seed: text.seed, signal: text.signal },
        feedForward: settings.encoder === 'feed-forward',
      });
      scratchModel.replace(tensors);
      patchEnds = positions;
    }
    const patches = fittingBatches(text, solveBytes, ['encoder']);
    scratchModel.replace(await fitProjection(config, layout, scratchModel, embedding, patches, ridge));
    const { tensors, positions } = await fitDecoder({
      ...{ config, layout, source, ngrams, ngramScale, decoder: settings.decoder },
      ...{
        params: scratchModel.params,
        batches: fittingBatches(text, solveBytes, ['states', 'bytes'], states.add),
        seed: text.seed,
        signal: text.signal,
      },
    });
    scratchModel.replace(tensors);
    const shape = { bytes: settings.sequence_length, bytesPerPatch };
    const vocabulary = { vocabSize: teacher.llama.config.vocabSize, bytesPerToken };
    const { ngramBytes } = ngrams;
    const work = { textBytes, solveBytes, ngramBytes, encoder: settings.encoder, decoder: settings.decoder };
    const flops = closedFormFlops({
      ...{ config, text: shape, source: vocabulary },
      work: { ...work, patchEnds, positions },
    });
    return { fitted: new Map(scratchModel.fitted), flops };
  } finally {
    await seen.close();
    await close();
  }
}

/** Loads the patcher and the global transformer, which are frozen. */
async function loadFrozen(config: BltConfig, start: TensorReader): Promise<Map<string, Variable>> {
  const frozen = new Map<string, Variable>();
  for (const { name, part } of bltTensors(config))
    if (part === 'patcher' || part === 'global') frozen.set(name, await loadVariable(start, name));
  const { name } = tokenEndHead(config);
  if (start.tensors.has(name)) frozen.set(name, await loadVariable(start, name));
  return frozen;
}

/** The names of the tensors that keep their values. */
const unfittedNames = (config: BltConfig, fitted: ReadonlyMap<string, Float32Array>): string[] =>
  bltTensors(config).flatMap(({ name }) => (fitted.has(name) ? [] : [name]));

/** Writes the checkpoint: fitted tensors in float32, all others unchanged. */
async function writeFitted(params: {
  folder: string;
  root: string;
  config: BltConfig;
  start: TensorReader;
  fitted: ReadonlyMap<string, Float32Array>;
  metrics: Readonly<Record<string, number>>;
}): Promise<void> {
  const { folder: path, root, config, start, fitted, metrics } = params;
  const tensors = bltTensors(config).map(({ name, shape }) =>
    fitted.has(name) ? { name, dtype: 'F32' as const, shape } : start.tensors.get(name)!,
  );
  const trained = ({ name }: TensorInfo) => {
    const values = fitted.get(name);
    return values === undefined ? null : fromFloat32(values, 'F32');
  };
  await writeFolderAtomic(path, async (folder) => {
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
    );
    await writeWeights({ folder, path, tensors, trained, isTrained: (name) => fitted.has(name), start, root });
    await writeFile(join(folder, METRICS_FILE), `${JSON.stringify(metrics, null, 2)}\n`);
  });
}
