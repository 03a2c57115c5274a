/** @module Reads the user's text into `data/`: checked, deduplicated and split, once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { restartHint } from '../conversion/index.js';
import { type ByteStore, openStore, warnRefused } from '../data/index.js';
import { UsageError } from '../errors.js';
import { digestOf } from '../fs/index.js';
import { forDigest } from '../recipe/index.js';
import { counted, humanBytes } from '../ui/index.js';
import { buildData, splitSeed } from './build-data.js';
import { inShort } from './changed-files.js';
import type { StepContext } from './context.js';
import { checkDomains, dataPaths, filesOf } from './data-paths.js';
import { changesOf, type DataRequest, previousRequest, refuseGone, writeRequest } from './data-request.js';
import { trainedStage } from './trained-stage.js';

/**
 * @param values of --data, `PATH` or `NAME=PATH`; if empty, the existing store is used, whatever has become of its files.
 * @throws UsageError when there is neither, or when a stage was already trained on the files' previous contents; the signal's reason.
 */
export async function dataStep(context: StepContext, values: readonly string[]): Promise<ByteStore> {
  const { conversion, recipe, reporter } = context;
  const out = join(conversion.folder, 'data');
  const before = await previousRequest(out);
  if (values.length === 0 && before === null) {
    throw new UsageError('There is no text to train on.', { hint: 'Pass files or folders with --data PATH.' });
  }
  reporter.stage('Reading text');
  const wanted = values.length === 0 ? before!.paths : dataPaths(values, recipe);
  checkDomains(wanted, recipe);
  const settings = digestOf(forDigest({ ...recipe.data, seed: splitSeed(recipe) }));
  const isThere = before !== null && existsSync(join(out, 'data.json'));
  const sameSettings = before?.settings === settings;
  if (isThere && sameSettings && values.length === 0) return alreadyThere(out, reporter);
  if (isThere && !sameSettings) refuseOther(conversion, 'The settings of the data have');
  if (before !== null) refuseGone(wanted, before, { out, given: values.length > 0 });
  const request: DataRequest = { paths: wanted, settings, files: await filesOf(wanted, recipe, context.signal) };
  if (isThere) {
    const changes = await changesOf(out, before, request, context.signal);
    if (sameSettings && changes.length === 0) {
      await writeRequest(out, request);
      return alreadyThere(out, reporter);
    }
    if (changes.length > 0) refuseOther(conversion, 'The data has', changes);
  }
  return readText(context, out, request);
}

async function alreadyThere(out: string, reporter: StepContext['reporter']): Promise<ByteStore> {
  const store = await openStore(out);
  reporter.done(`${humanBytes(store.train.byteCount)} to train on, already there`);
  return store;
}

async function readText(context: StepContext, out: string, request: DataRequest): Promise<ByteStore> {
  const { reporter } = context;
  await buildData(request.paths, out, context);
  await writeRequest(out, request);
  const store = await openStore(out);
  const { refused, refused_count } = store.manifest;
  warnRefused(reporter, refused, { count: refused_count, list: join(out, 'data.json') });
  const training = `${humanBytes(store.train.byteCount)} to train on${domainsOf(store)}`;
  reporter.done(`${training}, ${humanBytes(store.validation.byteCount)} held out${duplicatesOf(store)}`);
  return store;
}

/** How much of the training data each of several domains has. */
function domainsOf({ manifest: { domains = [] } }: ByteStore): string {
  if (domains.length < 2) return '';
  return ` (${domains.map(({ name, train }) => `${name} ${humanBytes(train.bytes)}`).join(', ')})`;
}

/** The documents left out as duplicates, for the end of the summary line. */
function duplicatesOf({ manifest: { duplicates, duplicate_files: files } }: ByteStore): string {
  if (duplicates === 0) return '';
  const others = files.length - 1;
  const more = others === 0 ? '' : ` and ${counted(others, 'more file')} that data.json lists`;
  return `, ${counted(duplicates, 'duplicate')} left out (${files[0]!.path}${more})`;
}

/** Refuses to replace a store on which a stage was trained. @param changes of its files, if those are the reason. @throws UsageError */
function refuseOther(conversion: StepContext['conversion'], what: string, changes: readonly string[] = []): void {
  const trained = trainedStage(conversion);
  if (trained === null) return;
  const which = changes.length === 0 ? '' : `: ${inShort(changes)}`;
  throw new UsageError(`${what} changed since the stage "${trained}" began in ${conversion.folder}${which}.`, {
    hint: restartHint(
      trained,
      changes.length === 0 ? null : 'Leave --data out to continue with the text that was read',
    ),
  });
}
