/** @module Traces the programs of one stage without computing anything: the code that trains, on an engine that has shapes but no values. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, BOS, bltConfigFor } from '../blt/index.js';
import { type ByteStore, buildStore, openStore, textDomain } from '../data/index.js';
import {
  type Layout,
  moduleText,
  partBytes,
  type StableHloFunction,
  shardingOf,
  startShapesEngine,
} from '../engine/index.js';
import { finetune, trainPatcher } from '../finetune/index.js';
import type { LlamaConfig } from '../llama/index.js';
import { openDecoding, openResidentModel } from '../model/index.js';
import { uniformOf } from '../random.js';
import { localSizesOf, type Recipe, targetBytesPerPatch } from '../recipe/index.js';
import { writeHollowBlt, writeHollowSource } from './hollow-models.js';

/** The patcher's training, the index of a stage of the recipe that takes gradient steps, or the steps of decoding with the finished model. */
export type TracedStage = number | 'patcher' | 'decoding';

export interface TraceOptions {
  readonly recipe: Recipe;
  readonly source: LlamaConfig;
  readonly stage: TracedStage;
  readonly layout: Layout;
  /** An empty folder. */
  readonly work: string;
}

export interface TracedProgram {
  /** StableHLO. */
  readonly text: string;
  /** What lies on one device beside what the program gets. */
  readonly otherBytes: number;
  /** Whether it trains: it adds a micro-batch's gradients, or updates weights. */
  readonly changesVariables: boolean;
}

/** Thrown after the first step, whose programs are all that is wanted. */
class FirstStepDone extends Error {}

/** Enough text for any batch: it is repeated. */
const TEXT_BYTES = 1_000_000;

/** A store of words, so that hashes and lengths vary as in text. */
async function wordStore(folder: string): Promise<ByteStore> {
  const uniform = uniformOf('words');
  const word = () => Math.floor(uniform() * 36 ** 6).toString(36);
  let text = '';
  while (text.length < TEXT_BYTES) text += `${Array.from({ length: 12 }, word).join(' ')}.\n\n`;
  const texts = join(folder, 'texts');
  await mkdir(texts, { recursive: true });
  const half = text.length / 2;
  await writeFile(join(texts, 'a.txt'), text.slice(0, half));
  await writeFile(join(texts, 'b.txt'), text.slice(half));
  const out = join(folder, 'data');
  const settings = { validationFraction: 0.02, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain([texts], 65_536)], out, ...settings });
  return await openStore(out);
}

/** Bytes of what a function gets, on one device. */
function argumentBytes(fn: StableHloFunction, layout: Layout): number {
  const splits = shardingOf(layout, fn)?.parameters ?? [];
  return fn.parameters.reduce((sum, parameter, i) => sum + partBytes(layout, parameter, splits[i] ?? null), 0);
}

/** Whether a function is the patcher, which returns one or two numbers per position and trains nothing. */
const isPatcher = ({ changesVariables, shapes }: StableHloFunction): boolean =>
  !changesVariables && shapes.every((shape) => shape.length === 1);

/** Entropies that end a patch every so many bytes. */
function entropiesOf({ shapes }: StableHloFunction, bytesPerPatch: number, { patching }: BltConfig): Uint8Array {
  const high = 2 * Math.max(1, patching.threshold);
  const patchesUntil = (position: number) => Math.floor(position / bytesPerPatch);
  const entropies = Float32Array.from({ length: shapes[0]?.[0] ?? 0 }, (_, i) =>
    patchesUntil(i + 1) > patchesUntil(i) ? high : 0,
  );
  return new Uint8Array(entropies.buffer);
}

interface Folders {
  readonly source: string;
  readonly init: string;
}

/** Trains until the first step is done. */
async function takeFirstStep(
  { recipe, work }: TraceOptions,
  stage: number | 'patcher',
  { source, init }: Folders,
): Promise<void> {
  const onStep = () => {
    throw new FirstStepDone();
  };
  const store = await wordStore(work);
  const shared = { store, settings: '', signal: new AbortController().signal, onStep };
  const run =
    stage === 'patcher'
      ? trainPatcher({ ...shared, recipe, init, out: join(work, 'patcher'), tokenizerFolder: source })
      : finetune({
          ...{ ...shared, recipe: { ...recipe, stages: [recipe.stages[stage]!] } },
          ...{ from: [init], source, run: join(work, 'run'), heldOut: [], sourceBitsPerByte: null },
        });
  await run
    .catch((error: unknown) => {
      if (!(error instanceof FirstStepDone)) throw error;
    })
    .finally(() => store.close());
}

/** Bytes that one step of decoding reads: of a prompt, and of a text that is being generated. */
const DECODED = [256, 1] as const;

/** Reads some bytes. Each ends a patch, so that all steps run. */
async function decode({ init }: Folders): Promise<void> {
  const resident = await openResidentModel(init, { weights: 'bfloat16' });
  const { config } = resident;
  const model = { ...resident, config: { ...config, patching: { ...config.patching, threshold: -1 } } };
  const decoding = openDecoding(model, { slots: 1, mode: 'graph', chunk: DECODED[0] });
  for (const count of DECODED) await decoding.read([new Int32Array(count).fill(BOS)]);
  decoding.dispose();
  resident.dispose();
}

/**
 * The distinct programs of a stage's first step. A process can do this once, since it has one engine.
 * @throws ByteifyError when the stage cannot run
 */
export async function traceStage(options: TraceOptions): Promise<readonly TracedProgram[]> {
  const { recipe, stage, layout, work } = options;
  const folders = { source: join(work, 'source'), init: join(work, 'init') };
  const config = bltConfigFor(options.source, localSizesOf(options.source, recipe));
  await writeHollowSource(folders.source, options.source);
  await writeHollowBlt(folders.init, config, recipe, { hasPatcher: stage !== 'patcher' });
  const programs = new Map<string, TracedProgram>();
  const engine = startShapesEngine((fn) => {
    const text = moduleText(fn, shardingOf(layout, fn));
    const otherBytes = Math.max(0, engine.memory()!.used - argumentBytes(fn, layout));
    programs.set(text, { text, otherBytes, changesVariables: fn.changesVariables });
    const cutsBatches = stage !== 'decoding' && isPatcher(fn);
    return cutsBatches ? [entropiesOf(fn, targetBytesPerPatch(recipe.patcher), config)] : undefined;
  }, layout);
  await (stage === 'decoding' ? decode(folders) : takeFirstStep(options, stage, folders));
  return [...programs.values()];
}
