/** @module Measures how well a conversion's patcher follows the source's tokens on each kind of text. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readBltConfig } from '../blt/index.js';
import { MANIFEST_NAME, outputFolder } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { openLlama } from '../llama/index.js';
import { disposeParams, loadPatcher, openLlamaModel } from '../model/index.js';
import { openSourceReader, readAlignment } from '../patching/index.js';
import type { Reporter } from '../ui/index.js';
import { measureSegmentation } from './measure-segmentation.js';
import type { SegmentationReport } from './segmentation-report.js';
import { heldOutTexts, kindsOf, textsOf } from './texts.js';

export interface EvaluatePatcherOptions {
  /** A conversion folder. */
  readonly dir: string;
  /** Paths; each is one kind of text, named after its last part. If empty, the conversion's held-out text is used. */
  readonly data: readonly string[];
  /** The key of a JSON record that contains its text; default `text`. */
  readonly textKey?: string;
  /** Maximum bytes of text per kind. */
  readonly maxBytes: number;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export interface KindReport {
  readonly kind: string;
  readonly report: SegmentationReport;
}

export interface TextKind {
  readonly kind: string;
  readonly texts: readonly Uint8Array[];
}

/** Measures the patcher in the folder `patcher` with the source in the folder `source`. The engine must be started. @throws ByteifyError if either cannot be read. */
export async function measurePatcher(
  patcher: string,
  source: string,
  kinds: readonly TextKind[],
  { reporter, signal }: Pick<EvaluatePatcherOptions, 'reporter' | 'signal'>,
): Promise<KindReport[]> {
  const config = await readBltConfig(patcher);
  const alignment = await readAlignment(patcher);
  const llama = await openLlama(source);
  await llama.close();
  const { vocabSize, bosId, eosIds } = llama.config;
  const reader = await openSourceReader(llama.folder, { vocabSize, bosId, eosIds });
  const total = kinds.reduce((sum, { texts }) => sum + texts.length, 0);
  const params = await loadPatcher(patcher, config);
  const model = await openLlamaModel(source);
  try {
    let before = 0;
    return kinds.map(({ kind, texts }) => {
      const onText = (done: number) => reporter.progress({ done: before + done, total, unit: 'texts' });
      const measured = { params, config, alignment };
      const report = measureSegmentation(measured, { model, reader }, texts, { signal, onText });
      before += texts.length;
      return { kind, report };
    });
  } finally {
    model.dispose();
    disposeParams(params);
  }
}

/** Measures the patcher of a conversion. The engine must be started. @throws UsageError if the folder is not a conversion with a source and a patcher. */
export async function evaluatePatcher(options: EvaluatePatcherOptions): Promise<KindReport[]> {
  const { dir, data, maxBytes, reporter } = options;
  const [patcher, source] = [outputFolder(dir, 'patcher'), outputFolder(dir, 'import')];
  if (!existsSync(join(dir, MANIFEST_NAME)) || !existsSync(join(patcher, 'config.json')) || !existsSync(source)) {
    throw new UsageError(`${dir} is not a conversion with a source and a trained patcher.`, {
      hint: 'Name the --out folder of `byteify convert` or `byteify patcher train`.',
    });
  }
  const kinds: TextKind[] =
    data.length === 0 ? [{ kind: 'held out', texts: await heldOutTexts(dir, { maxBytes, domains: 'text' }) }] : [];
  for (const { kind, path } of kindsOf(data)) kinds.push({ kind, texts: await textsOf([path], options) });
  reporter.stage('Measuring the patcher');
  const reports = await measurePatcher(patcher, source, kinds, options);
  reporter.done();
  return reports;
}
