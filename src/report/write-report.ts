/** @module Writes the report of a conversion. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../fs/index.js';
import { modelReadings } from './model-readings.js';
import { reportPage } from './page.js';
import { reportInputs } from './report-inputs.js';

export interface WriteReportOptions {
  /** The page's file; by default `report.html` in the conversion. */
  readonly out?: string | undefined;
  /** Whether the model is run for patches and samples, for which the engine must be started. */
  readonly withModel: boolean;
}

/** @returns the page's file @throws UsageError for a folder that is not a conversion, before the model is opened */
export async function writeReport(dir: string, { out, withModel }: WriteReportOptions): Promise<string> {
  const inputs = await reportInputs(dir);
  const source = join(dir, 'source');
  const readings = withModel ? await modelReadings(dir, existsSync(source) ? source : null) : null;
  const path = out ?? join(dir, 'report.html');
  await writeFileAtomic(path, await reportPage(inputs, readings));
  return path;
}
