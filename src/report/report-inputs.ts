/** @module What a report shows, read from a conversion folder. Nothing is computed here. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_NAME, type Manifest, readManifest } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { type ResultDocument, readResults } from '../evaluate/index.js';
import { readTextIfThere } from '../fs/index.js';
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
}

/** @throws UsageError for a folder that is not a conversion. @throws ByteifyError for a file in it that cannot be read */
export async function reportInputs(dir: string): Promise<ReportInputs> {
  const manifest = await readManifest(dir);
  if (manifest === null)
    throw new UsageError(`${dir} is not a conversion: it has no ${MANIFEST_NAME}.`, {
      hint: 'Name the --out folder of `byteify convert`.',
    });
  const evaluation = join(dir, 'evaluation');
  return {
    dir,
    manifest,
    recipe: await readTextIfThere(join(dir, 'recipe.yaml')),
    curves: await trainingCurves(dir),
    mapping: existsSync(join(dir, 'init', REPORT_FILE)) ? await readRemapReport(join(dir, 'init')) : null,
    results: existsSync(evaluation) ? await readResults(evaluation) : [],
  };
}
