import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openConversion, readManifest } from '../../src/conversion/index.js';
import { startEngine } from '../../src/engine/index.js';
import { evaluatePatcher } from '../../src/evaluate/index.js';
import {
  calibrateFolder,
  dataStep,
  importStep,
  patcherStep,
  remapStep,
  sweepFolder,
} from '../../src/pipeline/index.js';
import { loadRecipe } from '../../src/recipe/index.js';
import { OWN_TEXT } from '../support/conversions.js';
import { goldenPath } from '../support/golden.js';
import { quietReporter } from '../support/quiet-reporter.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-aligned-step-'));
const dir = join(work, 'conversion');
afterAll(() => rmSync(work, { recursive: true, force: true }));

const reporter = quietReporter();
const signal = new AbortController().signal;
const sets = ['patcher.kind=aligned', 'patcher.steps=3', 'patcher.batch_bytes=2048', 'evaluate.validation_bytes=3000'];

beforeAll(async () => {
  await startEngine({ threads: 2 });
  const path = join(work, 'recipe.yaml');
  const text = await readFile('recipes/tiny.yaml', 'utf8');
  await writeFile(path, text.replace(/ *target_bytes_per_patch: .*\n/, ''));
  const recipe = await loadRecipe(path, { sets });
  const conversion = await openConversion(dir);
  const step = { conversion, recipe, reporter, signal };
  await importStep(step, 'builtin:tiny-llama');
  await remapStep(step);
  const store = await dataStep(step, OWN_TEXT);
  await patcherStep(step, store).finally(() => store.close());
  await conversion.close();
});

const metrics = async () => (await readManifest(dir))!.stages.patcher!.metrics;

it('the manifest of a conversion records how the patcher follows the tokens', async () => {
  const found = await metrics();
  for (const [name, value] of Object.entries(found)) expect(Number.isFinite(value), name).toBe(true);
  expect(found).toMatchObject({ cut_recall: expect.any(Number), stale_first_byte_bits_per_byte: expect.any(Number) });
  expect(found.source_in_patches_bits_per_byte!).toBeGreaterThan(found.source_marginal_bits_per_byte!);
  // Marginalised to bytes, the tokens' bits can only decrease, because no byte pays for where its token ends.
  expect(found.source_marginal_bits_per_byte!).toBeLessThan(4);
});

it('each path is a separate kind of text', async () => {
  const { data: _, ...options } = { dir, data: [], maxBytes: 1500, reporter, signal };
  const reports = await evaluatePatcher({ ...options, data: ['docs', 'src/blt'] });
  expect(reports.map(({ kind }) => kind)).toEqual(['docs', 'blt']);
  for (const { report } of reports) expect(report.bytes).toBeGreaterThan(1000);
  const [held] = await evaluatePatcher({ ...options, data: [] });
  expect(held!.kind).toBe('held out');
  const away = evaluatePatcher({ ...options, dir: goldenPath('plain/blt'), data: [] });
  await expect(away).rejects.toThrow(/not a conversion with a source and a trained patcher/);
});

it('a sweep has the thresholds of single calibrations and the figures of an evaluation, and changes nothing', async () => {
  const options = { dir, data: [], maxBytes: 3000, reporter, signal };
  const filesOf = () => Promise.all(['byteify.json', 'patcher/config.json'].map((path) => readFile(join(dir, path))));
  const before = await filesOf();
  const { threshold_nats: own, bytes_per_patch: target } = await metrics();
  const { bytes, points } = await sweepFolder({ ...options, targets: [2, target!, 8] });
  expect(await filesOf()).toEqual(before);
  expect(bytes).toBeLessThanOrEqual(3000);
  expect(points.map((point) => point.target)).toEqual([2, target, 8]);
  expect(points[1]!.threshold).toBeCloseTo(own!, 6);
  const thresholds = points.map(({ threshold }) => threshold);
  expect(thresholds).toEqual([...thresholds].sort((a, b) => a - b));
  const [evaluated] = await evaluatePatcher(options);
  const { cutPrecision, cutRecall, lateShare, bytesPerToken } = evaluated!.report;
  expect(points[1]!.agreement).toEqual({ cutPrecision, cutRecall, lateShare, bytesPerToken });
  expect(points[1]).toMatchObject({
    bytesPerPatch: evaluated!.report.bytesPerPatch,
    insideCharacterShare: evaluated!.report.insideCharacterShare,
  });
});

it('an aligned patcher is calibrated to its labels, or to a target if there is one', async () => {
  const before = await metrics();
  const options = { dir, data: [], maxBytes: 3000, reporter, signal };
  const own = await calibrateFolder({ ...options, target: null });
  expect(own.threshold).toBeCloseTo(before.threshold_nats!, 6);
  const wide = await calibrateFolder({ ...options, target: 8 });
  expect(wide.bytesPerPatch).toBeCloseTo(8, 0);
  expect(wide.threshold).toBeGreaterThan(own.threshold);
  // The measurements with the previous threshold are gone.
  expect(await metrics()).toEqual({
    patcher_bits_per_byte: before.patcher_bits_per_byte,
    patcher_flops: before.patcher_flops,
    threshold_nats: wide.threshold,
    bytes_per_patch: wide.bytesPerPatch,
  });
});

it('an entropy patcher without a target gets the paper’s mean, and a plain checkpoint folder needs a target', async () => {
  await rm(join(dir, 'patcher', 'aligned.json'));
  const options = { dir, data: [], maxBytes: 3000, reporter, signal };
  expect((await calibrateFolder({ ...options, target: null })).bytesPerPatch).toBeCloseTo(4.5, 1);
  const away = calibrateFolder({ ...options, dir: goldenPath('plain/blt'), target: null });
  await expect(away).rejects.toThrow(/is not a conversion folder/);
});
