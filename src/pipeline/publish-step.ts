/** @module Publishes an exported folder to a repository of the hub: checks it, shows the plan, uploads, and verifies. */
import { ByteifyError } from '../errors.js';
import { checkExport, exportFiles } from '../export/index.js';
import {
  type Account,
  checkPublication,
  checkRepositoryName,
  type HubClient,
  hashPaths,
  openHubClient,
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
import { releaseViolations } from '../release/index.js';
import { counted, humanBytes, humanCount, type Reporter } from '../ui/index.js';
import { type ExportedFolder, exportedFolder } from './exported-folder.js';

export interface PublishRequest extends PublishRules {
  /** A conversion folder or an exported folder. */
  readonly dir: string;
  /** OWNER/NAME. */
  readonly repository: string;
  /** The licences that the user has accepted, by their hub names, separated by commas; null for none. */
  readonly acceptedLicense: string | null;
  /** Files to send in addition to the known files of an export, by their paths in the folder. */
  readonly include: readonly string[];
  /** Whether to check and show the plan without changing anything. */
  readonly dryRun: boolean;
}

interface PublishContext {
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  /** Called with the plan, before anything changes. */
  readonly onPlan: (publication: Publication) => void;
}

/** Prints every requirement that is not met. @throws ByteifyError if there is one */
async function checkRequirements({ folder, manifest }: ExportedFolder, request: PublishRequest, reporter: Reporter) {
  const { dir, repository, acceptedLicense } = request;
  const violations = await releaseViolations({ folder, manifest, repository, acceptedLicense });
  if (violations.length === 0) return;
  for (const { sentence, hint } of violations) reporter.warn(`${sentence} ${hint}`);
  const count = violations.length === 1 ? '1 requirement is' : `${violations.length} requirements are`;
  throw new ByteifyError(`${dir} cannot be published as ${repository} yet: ${count} not met, as listed above.`, {
    hint: 'Nothing was sent.',
  });
}

/** The text of a hashed file; empty when it is not among the files. */
async function textOf(files: Publication['files'], name: string): Promise<string> {
  return (await files.find(({ path }) => path === name)?.content.text()) ?? '';
}

async function plan(
  client: HubClient,
  exported: ExportedFolder,
  request: PublishRequest,
  { reporter, signal }: PublishContext,
): Promise<Publication> {
  const { folder } = exported;
  reporter.stage(`Checking ${folder}`);
  const { tensors, parameters, weightFiles } = await checkExport(folder);
  // The rules apply before any file is read.
  const rules = { isKnown: exportFiles(weightFiles), include: request.include };
  const paths = await publishedPaths(folder, rules, signal);
  await checkRequirements(exported, request, reporter);
  const files = await hashPaths(folder, paths, {
    onProgress: (done, total, detail) => reporter.progress({ done, total, unit: 'bytes', detail }),
    signal,
  });
  reporter.done(
    `${counted(tensors, 'tensor')}, ${humanCount(parameters)} parameters, ${counted(files.length, 'file')} hashed`,
  );
  reporter.stage(`Checking ${request.repository}`);
  const publication = await planPublication(client, {
    repository: request.repository,
    files,
    origin: parseOrigin(await textOf(files, PROVENANCE_NAME)),
  });
  reporter.done(publication.repository === null ? 'new repository' : 'existing repository');
  return publication;
}

async function send(
  client: HubClient,
  { publication, account }: { publication: Publication; account: Account },
  request: PublishRequest,
  { reporter }: PublishContext,
): Promise<Published> {
  reporter.stage(`Uploading to ${publication.id}`);
  const published = await publish(client, publication, {
    ...request,
    account,
    card: await textOf(publication.files, 'README.md'),
    onWarning: (text) => reporter.warn(`The hub warns about README.md: ${text}`),
    onProgress: ({ doneBytes: done, totalBytes: total }) => reporter.progress({ done, total, unit: 'bytes' }),
    onSent: (bytes) => {
      reporter.done(`${humanBytes(bytes)} sent`);
      reporter.stage('Verifying the uploaded files');
    },
  });
  reporter.done(`${counted(publication.files.length, 'file')}, sizes and digests match`);
  return published;
}

/**
 * @returns the planned changes, and the result, which is null after a dry run
 * @throws UsageError for a folder or a name that cannot be published; ByteifyError for a damaged export, requirements that are not met, and
 * refusals of the hub; the signal's reason.
 */
export async function publishStep(
  context: PublishContext,
  request: PublishRequest,
): Promise<{ publication: Publication; published: Published | null }> {
  checkRepositoryName(request.repository);
  const exported = await exportedFolder(request.dir);
  const client = openHubClient({ signal: context.signal });
  // Checks that the token can write before minutes of hashing.
  const account = request.dryRun ? null : await writingAccount(client);
  const publication = await plan(client, exported, request, context);
  context.onPlan(publication);
  checkPublication(publication, request);
  if (account === null) return { publication, published: null };
  const published = await send(client, { publication, account }, request, context);
  return { publication: published.publication, published };
}
