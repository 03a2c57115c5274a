/** @module For several mean patch sizes, the thresholds of a patcher and how it then cuts held-out text. Nothing is written. */
import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readBltConfig } from '../blt/index.js';
import { MANIFEST_NAME, outputFolder } from '../conversion/index.js';
import { cutCounts, type TokenAgreement, tokenAgreement } from '../evaluate/index.js';
import { type Calibration, calibrateThreshold, patcherOutputs, predictedEntropies } from '../finetune/index.js';
import { disposeParams, loadPatcher } from '../model/index.js';
import { canonicalTokens, readAlignment, textCuts, tokenEnds } from '../patching/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import { type CalibrateFolderOptions, calibrationTexts } from './calibrate-folder.js';

export interface SweepFolderOptions extends Omit<CalibrateFolderOptions, 'target'> {
  /** Mean patch sizes, in bytes. */
  readonly targets: readonly number[];
}

export interface SweepPoint extends Calibration {
  /** Bytes per patch, as asked. */
  readonly target: number;
  readonly insideCharacterShare: number;
  /** On the texts that the source's tokens spell; null without a source, or if they spell none. */
  readonly agreement: TokenAgreement | null;
}

export interface Sweep {
  /** Bytes of the texts. */
  readonly bytes: number;
  readonly points: readonly SweepPoint[];
}

/**
 * Runs the patcher once over the text, and picks a threshold for each target. The engine must be started.
 * @throws ByteifyError for a target that no threshold reaches
 */
export async function sweepFolder(options: SweepFolderOptions): Promise<Sweep> {
  const { dir, targets, reporter } = options;
  const isConversion = existsSync(join(dir, MANIFEST_NAME));
  const folder = isConversion ? outputFolder(dir, 'patcher') : dir;
  const config = await readBltConfig(folder);
  const alignment = await readAlignment(folder);
  const texts = await calibrationTexts(folder, options);
  const ends = await endsOfTokens(texts, isConversion ? outputFolder(dir, 'import') : null);
  reporter.stage('Reading the text');
  const params = await loadPatcher(folder, config);
  const outputs = patcherOutputs(params, config, texts);
  disposeParams(params);
  const entropies = predictedEntropies(outputs, texts);
  const points = targets.map((target): SweepPoint => {
    const calibration = calibrateThreshold(entropies, { bytesPerPatch: target });
    const cut = texts.map((bytes, i) => ({ bytes, cuts: textCuts(outputs[i]!, calibration.threshold, alignment) }));
    const spelled = cut.flatMap((text, i) => (ends[i] ? [{ ...text, ends: ends[i] }] : []));
    const { insideCharacterShare } = cutCounts(cut);
    const agreement = spelled.length === 0 ? null : tokenAgreement(spelled);
    return { ...calibration, target, insideCharacterShare, agreement };
  });
  reporter.done();
  return { bytes: texts.reduce((sum, { length }) => sum + length, 0), points };
}

/** Where the source's tokens end in each text; null for a text that they do not spell, and for all without a source. */
async function endsOfTokens(texts: readonly Uint8Array[], source: string | null): Promise<(Uint8Array | null)[]> {
  if (source === null || !existsSync(source)) return texts.map(() => null);
  const tokenizer = await loadTokenizer(source);
  return texts.map((text) =>
    !isUtf8(text) || canonicalTokens(text, tokenizer) === null ? null : tokenEnds(text, false, tokenizer).ends,
  );
}
