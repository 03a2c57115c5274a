/**
 * @module Stage 0: a start without gradient steps (docs/distillation.md). N-gram tables from text and vocabulary, an encoder that passes them
 * on, projections by least squares, and a head that says what the source expects next. What is fitted is measured on the model itself,
 * run forward.
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
import { fitExpectation, fitHead, leftOver } from './fit-head.js';
import { fitProjection } from './fit-projection.js';
import { addExpectations, contentVectors, fitTables, vocabularyTexts } from './fit-tables.js';
import { type FittingText, fittingBatches, keptCuts, OBSERVED_FIELDS, observedTexts } from './fitting-text.js';
import { layoutOf } from './layout.js';
import { type Observations, openObservations } from './observations.js';
import { openScratchModel, type ScratchModel } from './scratch-model.js';

const METRICS_FILE = 'closed-form.json';

/**
 * Fits the start and writes it as the run's checkpoint 0; one that is there is kept.
 * @returns metrics, `flops` among them.
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
    const hint = `Remove ${folder}: the stage is then run again.`;
    const known = await readMetrics(path, hint);
    if (known === null) throw new ByteifyError(`${path} is missing.`, { hint });
    return known;
  }
  await makeFolder(run);
  const start = overlay(await Promise.all(from.map(openCheckpoint)));
  try {
    const { made, flops } = await fitStart(context, settings, source, start);
    const params = new Map([...(await loadParams(start, kept(config, made)))]);
    for (const { name, shape } of bltTensors(config))
      if (made.has(name)) params.set(name, tf.tensor(made.get(name)!, [...shape]));
    const { bitsPerByte } = await bltBitsPerByte(params, config, context.heldOut);
    disposeParams(params);
    const metrics = { validation_bits_per_byte: bitsPerByte, flops: context.flopsBefore + flops };
    await write({ folder, root: context.root, config, start, made, metrics });
    const log = await openMetrics(run, 0);
    await log.write(0, metrics);
    await log.close();
    return metrics;
  } finally {
    await start.close();
  }
}

/** What is fitted on and with: the text cut and read, the source's tensors, the model in the making. */
interface Fitting {
  readonly text: FittingText;
  readonly source: Params;
  readonly states: SourceStates;
  readonly scratchModel: ScratchModel;
  close(): Promise<void>;
}

async function openFitting(
  { config, store, recipe, run, signal }: StageContext,
  { sequence_length: length, micro_batch_size: rows }: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<Fitting> {
  const mode = await chooseMode({ config, whole: true, rows, length, steps: 1 });
  const { tensors, ...asked } = await teacher.training(['embedding', 'head']);
  const fixed = new Map([...(await loadHeld(config, start)), ...tensors]);
  const patcher = createPatcherRunner(config, fixed, mode);
  const cache = { path: join(run, 'source-states.bin'), maxBytes: Number.POSITIVE_INFINITY };
  const states = createSourceStates({ config, fixed, mode, cache });
  const scratchModel = await openScratchModel(config, start);
  const source: Params = new Map([...tensors].map(([name, variable]) => [name, variable.read()]));
  const { cuts, close: closeCuts } = keptCuts(patcher, join(run, 'cuts.bin'));
  return {
    text: { data: store.train, config, source: asked, cuts, rows, length, seed: recipe.seed, signal },
    source,
    states,
    scratchModel,
    async close() {
      tf.dispose([...source.values()]);
      scratchModel.dispose();
      await states.close();
      await closeCuts();
      patcher.dispose();
      for (const variable of fixed.values()) variable.dispose();
    },
  };
}

/**
 * Text and vocabulary as the tables see them.
 * @param vectors a row a token.
 * @returns the shape of the text, for the count of operations.
 */
async function observe(
  text: FittingText,
  settings: StageOf<'closed-form'>,
  { reader }: Teacher,
  vectors: Float32Array,
  into: Observations,
) {
  for (const entry of vocabularyTexts(reader, vectors, settings.vocabulary_weight)) await into.add(entry);
  let [bytes, patches, tokens] = [0, 0, 0];
  for await (const batch of fittingBatches(text, settings.text_bytes, ['encoder'])) {
    for (const micro of batch.batches)
      for (const seen of observedTexts(requireFields(micro, OBSERVED_FIELDS), vectors)) await into.add(seen);
    bytes += batch.bytes;
    patches += batch.patchCount;
    tokens += batch.tokenCount;
  }
  return { bytes, bytesPerPatch: bytes / patches, bytesPerToken: bytes / tokens };
}

async function fitStart(
  context: StageContext,
  settings: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<{ made: ReadonlyMap<string, Float32Array>; flops: number }> {
  const { config } = context;
  const { solve_bytes: solveBytes, ridge } = settings;
  const layout = layoutOf(config);
  const { text, source, states, scratchModel, close } = await openFitting(context, settings, teacher, start);
  const embedding = sourceEmbedding(source);
  const withStates = () => fittingBatches(text, solveBytes, ['states', 'bytes'], states.add);
  const vectors = contentVectors(embedding, layout);
  const seen = openObservations(join(context.run, 'observed-tokens.bin'), vectors);
  const rest = openObservations(join(context.run, 'left-over.bin'));
  try {
    const { bytes: textBytes, bytesPerPatch, bytesPerToken } = await observe(text, settings, teacher, vectors, seen);
    scratchModel.put(await fitTables(config, layout, seen));
    scratchModel.put(encoderTensors(config, layout));

    const norm = sourceNorm(source).dataSync() as Float32Array;
    scratchModel.put(decoderTensors(config, layout, norm, new Float32Array(layout.spare * layout.width)));
    const expectation = await fitExpectation(config, layout, scratchModel, source, withStates(), ridge);
    await leftOver(config, scratchModel, source, expectation, withStates(), rest);
    scratchModel.put(await addExpectations(config, layout, scratchModel.made, rest, expectation.few));
    scratchModel.put(decoderTensors(config, layout, norm, expectation.fromValues));

    const patches = fittingBatches(text, solveBytes, ['encoder']);
    scratchModel.put(await fitProjection(config, layout, scratchModel, embedding, patches, ridge));
    scratchModel.put(await fitHead(config, scratchModel, source, withStates, ridge));
    const shape = { bytes: settings.sequence_length, bytesPerPatch };
    const vocabulary = { vocabSize: teacher.llama.config.vocabSize, bytesPerToken };
    const flops = closedFormFlops({ config, text: shape, source: vocabulary, textBytes, solveBytes });
    return { made: new Map(scratchModel.made), flops };
  } finally {
    await Promise.all([seen.close(), rest.close()]);
    await close();
  }
}

/** The patcher and the source's layers. */
async function loadHeld(config: BltConfig, start: TensorReader): Promise<Map<string, Variable>> {
  const held = new Map<string, Variable>();
  for (const { name, part } of bltTensors(config))
    if (part === 'patcher' || part === 'global') held.set(name, await loadVariable(start, name));
  const { name } = tokenEndHead(config);
  if (start.tensors.has(name)) held.set(name, await loadVariable(start, name));
  return held;
}

/** Tensors that stay as they were. */
const kept = (config: BltConfig, made: ReadonlyMap<string, Float32Array>): string[] =>
  bltTensors(config).flatMap(({ name }) => (made.has(name) ? [] : [name]));

/** The model: what was made in float32, all else as it was. */
async function write(params: {
  folder: string;
  root: string;
  config: BltConfig;
  start: TensorReader;
  made: ReadonlyMap<string, Float32Array>;
  metrics: Readonly<Record<string, number>>;
}): Promise<void> {
  const { folder: path, root, config, start, made, metrics } = params;
  const tensors = bltTensors(config).map(({ name, shape }) =>
    made.has(name) ? { name, dtype: 'F32' as const, shape } : start.tensors.get(name)!,
  );
  const trained = ({ name }: TensorInfo) => {
    const values = made.get(name);
    return values === undefined ? null : fromFloat32(values, 'F32');
  };
  await writeFolderAtomic(path, async (folder) => {
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
    );
    await writeWeights({ folder, path, tensors, trained, isTrained: (name) => made.has(name), start, root });
    await writeFile(join(folder, METRICS_FILE), `${JSON.stringify(metrics, null, 2)}\n`);
  });
}
