/** @module From an exported folder to a repository of the hub: checked, shown, sent, verified. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { checkExport } from '../export/index.js';
import {
  type Account,
  checkPublication,
  checkRepositoryName,
  hashPaths,
  type Line,
  openLine,
  PROVENANCE_NAME,
  type Publication,
  type Published,
  type PublishRules,
  parseOrigin,
  planPublication,
  publish,
  publishedPaths,
  writingAccount,
} from '../hub/publish/index.js';
import { releaseShortfalls } from '../release/index.js';
import { humanBytes, humanCount, type Reporter } from '../ui/index.js';
import { type ExportedFolder, exportedFolder } from './exported-folder.js';

export interface PublishRequest extends PublishRules {
  /** A conversion, or an exported folder. */
  readonly dir: string;
  /** OWNER/NAME. */
  readonly repository: string;
  /** A licence that the user has read and agrees to, by its hub name. */
  readonly acceptedLicense: string | null;
  /** Only look, and tell. */
  readonly dryRun: boolean;
}

interface PublishContext {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Called when it is known what will change, before anything does. */
  readonly onPlan: (publication: Publication) => void;
}

/** A number of files in words. */
export const filesIn = (count: number) => (count === 1 ? '1 file' : `${count} files`);

/** Prints every duty that is open, and refuses if there is one. */
async function checkDuties({ folder, manifest }: ExportedFolder, request: PublishRequest, reporter: Reporter) {
  const { dir, repository, acceptedLicense } = request;
  const shortfalls = await releaseShortfalls({ folder, manifest, repository, acceptedLicense });
  if (shortfalls.length === 0) return;
  for (const { sentence, hint } of shortfalls) reporter.warn(`${sentence} ${hint}`);
  const count = shortfalls.length === 1 ? 'one thing is' : `${shortfalls.length} things are`;
  throw new ByteifyError(`${dir} cannot be published as ${repository} yet: ${count} missing, named above.`, {
    hint: 'Nothing was sent.',
  });
}

async function plan(
  line: Line,
  exported: ExportedFolder,
  request: PublishRequest,
  { reporter, signal }: PublishContext,
): Promise<Publication> {
  const { folder } = exported;
  reporter.stage(`Checking ${folder}`);
  const { tensors, parameters } = await checkExport(folder);
  await checkDuties(exported, request, reporter);
  const files = await hashPaths(folder, await publishedPaths(folder), {
    onProgress: (done, total, detail) => reporter.progress({ done, total, unit: 'bytes', detail }),
    signal,
  });
  reporter.done(`${tensors} tensors, ${humanCount(parameters)} parameters, ${filesIn(files.length)} hashed`);
  const provenance = await readFile(join(folder, PROVENANCE_NAME), 'utf8').catch(() => '');
  reporter.stage(`Looking at ${request.repository}`);
  const publication = await planPublication(line, {
    repository: request.repository,
    files,
    origin: parseOrigin(provenance),
  });
  reporter.done(publication.repository === null ? 'there is none yet' : 'it is there');
  return publication;
}

async function send(
  line: Line,
  { publication, folder, account }: { publication: Publication; folder: string; account: Account },
  request: PublishRequest,
  { reporter }: PublishContext,
): Promise<Published> {
  reporter.stage(`Uploading to ${publication.id}`);
  const published = await publish(line, publication, {
    ...request,
    account,
    card: await readFile(join(folder, 'README.md'), 'utf8'),
    onWarning: (text) => reporter.warn(`The hub says of README.md: ${text}`),
    onProgress: ({ doneBytes: done, totalBytes: total }) => reporter.progress({ done, total, unit: 'bytes' }),
    onSent: (bytes) => {
      reporter.done(`${humanBytes(bytes)} sent`);
      reporter.stage('Verifying what the hub holds now');
    },
  });
  reporter.done(`${filesIn(publication.files.length)}, sizes and digests as here`);
  return published;
}

/**
 * @returns what would change, and what was done; null after a dry run
 * @throws UsageError for a folder or a name that cannot be published; ByteifyError for an export that is not sound, duties that are open, and
 * refusals of the hub; the signal's reason.
 */
export async function publishStep(
  context: PublishContext,
  request: PublishRequest,
): Promise<{ publication: Publication; published: Published | null }> {
  checkRepositoryName(request.repository);
  const exported = await exportedFolder(request.dir);
  const line = openLine({ signal: context.signal });
  // Before minutes of hashing: a token that cannot write.
  const account = request.dryRun ? null : await writingAccount(line);
  const publication = await plan(line, exported, request, context);
  context.onPlan(publication);
  checkPublication(publication, request);
  if (account === null) return { publication, published: null };
  const published = await send(line, { publication, folder: exported.folder, account }, request, context);
  return { publication: published.publication, published };
}
