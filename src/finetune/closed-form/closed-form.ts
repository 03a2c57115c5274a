/**
 * @module Stage 0: a start without gradient steps (conversion-research 2.3). N-gram tables from text and vocabulary, an encoder that passes them
 * on, projections by least squares, and a head that says what the source expects next. What is fitted is measured on the model itself,
 * run forward.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, closedFormFlops, toTransformersConfig } from '../../blt/index.js';
import { writeFolderAtomic } from '../../conversion/index.js';
import { tokenEndHead } from '../../distill/index.js';
import { tf, type Variable } from '../../engine/index.js';
import { bltBitsPerByte, disposeParams, loadParams, loadVariable, type Params } from '../../model/index.js';
import type { StageOf } from '../../recipe/index.js';
import { fromFloat32, openCheckpoint, type TensorReader, writeCheckpoint } from '../../safetensors/index.js';
import { checkpointName } from '../checkpoint.js';
import { chooseMode } from '../choose-mode.js';
import type { DistillSource } from '../distill-source.js';
import { createEntropies } from '../entropies.js';
import type { StageContext } from '../finetune.js';
import { openMetrics } from '../metrics-log.js';
import { overlay } from '../overlay.js';
import { createSourceStates } from '../source-states.js';
import { sourceEmbedding } from '../source-tensors.js';
import { decoderTensors } from './decoder-tensors.js';
import { encoderTensors } from './encoder-tensors.js';
import { fitExpectation, fitHead, leftOver } from './fit-head.js';
import { fitProjection } from './fit-projection.js';
import { addExpectations, contentVectors, fitTables, vocabularyTexts } from './fit-tables.js';
import { fittingBatches, keptCuts, observedTexts } from './fitting-text.js';
import { layoutOf } from './layout.js';
import { openWorkbench } from './workbench.js';

const METRICS_FILE = 'closed-form.json';

/**
 * Fits the start and writes it as the run's checkpoint 0; one that is there is kept.
 * @returns metrics, `flops` among them.
 */
export async function closedForm(
  context: StageContext,
  settings: StageOf<'closed-form'>,
  source: DistillSource,
): Promise<Readonly<Record<string, number>>> {
  const { run, from, config } = context;
  const folder = join(run, checkpointName(0));
  if (existsSync(folder)) return JSON.parse(await readFile(join(folder, METRICS_FILE), 'utf8'));
  await mkdir(run, { recursive: true });
  const start = overlay(await Promise.all(from.map(openCheckpoint)));
  try {
    const { made, flops } = await fitStart(context, settings, source, start);
    const params = new Map([...(await loadParams(start, kept(config, made)))]);
    for (const { name, shape } of bltTensors(config))
      if (made.has(name)) params.set(name, tf.tensor(made.get(name)!, [...shape]));
    const { bitsPerByte } = await bltBitsPerByte(params, config, context.heldOut);
    disposeParams(params);
    const metrics = { validation_bits_per_byte: bitsPerByte, flops: context.flopsBefore + flops };
    await write(folder, config, start, made, metrics);
    const log = await openMetrics(run, 0);
    await log.write(0, metrics);
    await log.close();
    return metrics;
  } finally {
    await start.close();
  }
}

async function fitStart(
  { config, store, recipe, run, signal }: StageContext,
  settings: StageOf<'closed-form'>,
  source: DistillSource,
  start: TensorReader,
) {
  const { row_bytes: length, micro_batch_rows: rows, text_bytes: bytes, solve_bytes: few, ridge } = settings;
  const layout = layoutOf(config);
  const mode = await chooseMode({ config, whole: true, rows, length, steps: 1 });
  const held = await loadHeld(config, start);
  const { tensors, ...asked } = await source.training(['embedding', 'head']);
  const fixed = new Map([...held, ...tensors]);
  const entropies = createEntropies(config, fixed, { rows, length }, mode);
  const states = createSourceStates({
    config,
    fixed,
    rows,
    mode,
    cache: { path: join(run, 'source-states.bin'), maxBytes: Number.POSITIVE_INFINITY },
  });
  const workbench = await openWorkbench(config, start);
  const cuts = keptCuts(entropies);
  const text = { data: store.train, config, source: asked, cuts, rows, length, seed: recipe.seed, signal };
  const read: Params = new Map([...tensors].map(([name, variable]) => [name, variable.read()]));
  try {
    let [readBytes, patches, tokens] = [0, 0, 0];
    const texts = vocabularyTexts(source.reader, settings.vocabulary_weight);
    for await (const batch of fittingBatches(text, bytes, ['encoder'])) {
      for (const arrays of batch.batches) texts.push(...observedTexts(arrays));
      readBytes += batch.bytes;
      patches += batch.patchCount;
      tokens += batch.tokenCount;
    }
    workbench.put(fitTables(config, layout, texts, contentVectors(sourceEmbedding(read), layout)));
    workbench.put(encoderTensors(config, layout));
    const norm = read.get('source.norm.weight')!.dataSync() as Float32Array;
    const unread = new Float32Array(layout.spare * layout.width);
    workbench.put(decoderTensors(config, layout, norm, unread));
    const withStates = () => fittingBatches(text, few, ['states', 'bytes'], states.add);
    const expectation = await fitExpectation(config, layout, workbench, read, withStates(), ridge);
    const rest = await leftOver(config, workbench, read, expectation, withStates());
    workbench.put(addExpectations(config, layout, workbench.made, { ...rest, few: expectation.few }));
    workbench.put(decoderTensors(config, layout, norm, expectation.fromValues));

    const cut = fittingBatches(text, few, ['encoder']);
    workbench.put(await fitProjection(config, layout, workbench, sourceEmbedding(read), cut, ridge));
    workbench.put(await fitHead(config, workbench, read, withStates, ridge));
    const shape = { bytes: length, bytesPerPatch: readBytes / patches };
    const vocabulary = { vocabSize: source.llama.config.vocabSize, bytesPerToken: readBytes / tokens };
    const flops = closedFormFlops({ config, text: shape, source: vocabulary, textBytes: readBytes, solveBytes: few });
    return { made: new Map(workbench.made), flops };
  } finally {
    tf.dispose([...read.values()]);
    workbench.dispose();
    await states.close();
    entropies.dispose();
    for (const variable of fixed.values()) variable.dispose();
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

/** The whole model: what was made in float32, all else as it was. */
async function write(
  folder: string,
  config: BltConfig,
  start: TensorReader,
  made: ReadonlyMap<string, Float32Array>,
  metrics: Readonly<Record<string, number>>,
): Promise<void> {
  const infos = bltTensors(config).map(({ name, shape }) =>
    made.has(name) ? { name, dtype: 'F32' as const, shape } : start.tensors.get(name)!,
  );
  await writeFolderAtomic(folder, async (into) => {
    await writeFile(join(into, 'config.json'), `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`);
    await writeCheckpoint(into, infos, async function* ({ name }) {
      const values = made.get(name);
      if (values !== undefined) yield fromFloat32(values, 'F32');
      else yield await start.read(name);
    });
    await writeFile(join(into, METRICS_FILE), `${JSON.stringify(metrics, null, 2)}\n`);
  });
}
