/** @module The user's text into `data/`: read once, checked, deduplicated, split. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { digestOf, writeFileAtomic } from '../conversion/index.js';
import { type ByteStore, buildStore, openStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { humanBytes } from '../ui/index.js';
import type { StepContext } from './context.js';

/** What the store was asked to hold. Another request makes another store. */
interface Request {
  readonly paths: readonly string[];
  readonly settings: string;
}

async function previousRequest(path: string): Promise<Request | null> {
  return readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Request,
    () => null,
  );
}

/** How many refused files are named on the terminal; the others are in data.json. */
const SHOWN_REFUSALS = 5;

/**
 * @param paths the files and folders of --data; none goes on with the store that is there.
 * @throws UsageError when there is neither.
 */
export async function dataStep(
  { conversion, recipe, reporter, signal }: StepContext,
  paths: readonly string[],
): Promise<ByteStore> {
  const out = join(conversion.folder, 'data');
  const requestPath = join(out, 'request.json');
  const before = await previousRequest(requestPath);
  if (paths.length === 0 && before === null) {
    throw new UsageError('There is no text to train on.', { hint: 'Give files or folders with --data PATH.' });
  }
  const settings = { ...recipe.data, seed: recipe.seed };
  const request: Request = {
    paths: paths.length === 0 ? before!.paths : paths.map((path) => resolve(path)),
    settings: digestOf(settings),
  };
  reporter.stage('Reading the text');
  if (before !== null && digestOf(before) === digestOf(request) && existsSync(join(out, 'data.json'))) {
    const store = await openStore(out);
    reporter.done(`${humanBytes(store.train.byteCount)} to train on, already there`);
    return store;
  }
  refuseOther(conversion, before);
  const { piece_bytes, validation_fraction, text_key } = recipe.data;
  await buildStore({
    paths: request.paths,
    out,
    pieceBytes: piece_bytes,
    validationFraction: validation_fraction,
    textKey: text_key,
    seed: recipe.seed,
    signal,
    onProgress: ({ path, bytes }) => reporter.progress({ done: bytes, unit: 'bytes', detail: path }),
  });
  await writeFileAtomic(requestPath, `${JSON.stringify(request)}\n`);
  const store = await openStore(out);
  const { refused, refused_count } = store.manifest;
  for (const { path, line, reason } of refused.slice(0, SHOWN_REFUSALS)) {
    reporter.warn(`${path}${line === undefined ? '' : `:${line}`} was left out: ${reason}`);
  }
  if (refused_count > SHOWN_REFUSALS)
    reporter.warn(`${refused_count - SHOWN_REFUSALS} more were left out; ${join(out, 'data.json')} lists them`);
  const sides = `${humanBytes(store.train.byteCount)} to train on, ${humanBytes(store.validation.byteCount)} held out`;
  reporter.done(sides + duplicatesOf(store));
  return store;
}

/** What was left out because the same document was there before, as the end of the summary line. */
function duplicatesOf({ manifest: { duplicates, duplicate_files: files } }: ByteStore): string {
  if (duplicates === 0) return '';
  const others = files.length - 1;
  const more = others === 0 ? '' : ` and ${others} more ${others === 1 ? 'file' : 'files'} that data.json lists`;
  return `, ${duplicates} ${duplicates === 1 ? 'duplicate' : 'duplicates'} left out (${files[0]!.path}${more})`;
}

/** A store that a stage was trained on is not replaced under it. */
function refuseOther(conversion: StepContext['conversion'], before: Request | null): void {
  const used = conversion.manifest().stages.patcher !== undefined;
  const restart = conversion.restartFrom();
  const covered = restart !== null && restart !== 'finetune' && restart !== 'export';
  if (before === null || !used || covered) return;
  throw new UsageError(
    `The data or its settings have changed since the stage "patcher" began in ${conversion.folder}.`,
    {
      hint: 'Add --restart-from patcher to redo it and what follows, or choose another --out.',
    },
  );
}
