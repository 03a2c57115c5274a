/** @module What a report shows, read from a conversion folder. Nothing is computed here. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BltConfig, readBltConfig } from '../blt/index.js';
import {
  evaluationFolder,
  MANIFEST_NAME,
  type Manifest,
  readManifest,
  resolveCheckpoint,
} from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { type ResultDocument, readResults } from '../evaluate/index.js';
import { readModelJson, readTextIfThere } from '../fs/index.js';
import { type LlamaConfig, parseLlamaConfig } from '../llama/index.js';
import { REPORT_FILE, type RemapReport, readRemapReport } from '../remap/index.js';
import { type RunCurves, trainingCurves } from './training-curves.js';

export interface ReportInputs {
  /** The conversion's folder. */
  readonly dir: string;
  readonly manifest: Manifest;
  /** The resolved recipe, as YAML; null if there is none yet. */
  readonly recipe: string | null;
  readonly curves: readonly RunCurves[];
  /** What became of the source's tensors; null before they are remapped. */
  readonly mapping: RemapReport | null;
  /** The results of suites, whichever checkpoint they are of. */
  readonly results: readonly ResultDocument[];
  /** The names of those that were measured before the last stage of training ended. */
  readonly outdated: readonly string[];
  /** The sizes of the newest checkpoint; null before there is one. */
  readonly model: BltConfig | null;
  /** The sizes of the source; null if the conversion's folder does not say. */
  readonly source: LlamaConfig | null;
}

async function sourceConfig(dir: string): Promise<LlamaConfig | null> {
  const path = join(dir, 'source', 'config.json');
  const json = await readModelJson(path, 'Run `byteify convert` again to import the source.');
  return json === null ? null : parseLlamaConfig(json, path);
}

const newestConfig = async (dir: string): Promise<BltConfig | null> =>
  existsSync(join(dir, 'init', 'config.json')) ? await readBltConfig((await resolveCheckpoint(dir)).folder) : null;

/** Suites that measured an earlier checkpoint. */
function outdatedSuites({ stages, evaluations = {} }: Manifest): string[] {
  const { remap, patcher, finetune } = stages;
  const ends = [remap, patcher, finetune].flatMap((stage) => stage?.finished ?? []);
  return Object.keys(evaluations).filter((suite) => ends.some((end) => end > evaluations[suite]!.finished));
}

/** @throws UsageError for a folder that is not a conversion. @throws ByteifyError for a file in it that cannot be read */
export async function reportInputs(dir: string): Promise<ReportInputs> {
  const manifest = await readManifest(dir);
  if (manifest === null)
    throw new UsageError(`${dir} is not a conversion: it has no ${MANIFEST_NAME}.`, {
      hint: 'Name the --out folder of `byteify convert`.',
    });
  const evaluation = evaluationFolder(dir);
  return {
    dir,
    manifest,
    recipe: await readTextIfThere(join(dir, 'recipe.yaml')),
    curves: await trainingCurves(dir),
    mapping: existsSync(join(dir, 'init', REPORT_FILE)) ? await readRemapReport(join(dir, 'init')) : null,
    results: existsSync(evaluation) ? await readResults(evaluation) : [],
    outdated: outdatedSuites(manifest),
    model: await newestConfig(dir),
    source: await sourceConfig(dir),
  };
}
