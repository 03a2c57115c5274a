/** @module From an exported folder to a repository of the hub: checked, shown, sent, verified. */
import { ByteifyError } from '../errors.js';
import { checkExport, exportFiles } from '../export/index.js';
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
  /** Files of the folder to send beside those that an export is made of, by their paths in it. */
  readonly include: readonly string[];
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

/** The text of a file as it was hashed; empty when it is not among them. */
async function textOf(files: Publication['files'], name: string): Promise<string> {
  return (await files.find(({ path }) => path === name)?.content.text()) ?? '';
}

async function plan(
  line: Line,
  exported: ExportedFolder,
  request: PublishRequest,
  { reporter, signal }: PublishContext,
): Promise<Publication> {
  const { folder } = exported;
  reporter.stage(`Checking ${folder}`);
  const { tensors, parameters, weightFiles } = await checkExport(folder);
  // Before anything is read that might be sent.
  const rules = { isKnown: exportFiles(weightFiles), include: request.include };
  const paths = await publishedPaths(folder, rules, signal);
  await checkDuties(exported, request, reporter);
  const files = await hashPaths(folder, paths, {
    onProgress: (done, total, detail) => reporter.progress({ done, total, unit: 'bytes', detail }),
    signal,
  });
  reporter.done(`${tensors} tensors, ${humanCount(parameters)} parameters, ${filesIn(files.length)} hashed`);
  reporter.stage(`Looking at ${request.repository}`);
  const publication = await planPublication(line, {
    repository: request.repository,
    files,
    origin: parseOrigin(await textOf(files, PROVENANCE_NAME)),
  });
  reporter.done(publication.repository === null ? 'there is none yet' : 'it is there');
  return publication;
}

async function send(
  line: Line,
  { publication, account }: { publication: Publication; account: Account },
  request: PublishRequest,
  { reporter }: PublishContext,
): Promise<Published> {
  reporter.stage(`Uploading to ${publication.id}`);
  const published = await publish(line, publication, {
    ...request,
    account,
    card: await textOf(publication.files, 'README.md'),
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
  const published = await send(line, { publication, account }, request, context);
  return { publication: published.publication, published };
}
