/** @module `byteify publish`: uploads an export to a repository of the Hugging Face Hub. */
import type { Publication, Published } from '../hub/publish/index.js';
import { publishStep } from '../pipeline/publish-step.js';
import { counted, humanBytes, renderPairs, renderTable } from '../ui/index.js';
import { type Command, printResult } from './command.js';

interface Args {
  readonly dir: string;
  readonly repository: string;
  readonly private?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly acceptLicense?: string;
  readonly include?: readonly string[];
}

export const publishCommand: Command<Args> = {
  name: 'publish',
  summary: 'upload an export to a repository of the Hugging Face Hub, and verify the result',
  arguments: [
    { name: 'dir', help: 'a conversion folder or an exported folder' },
    { name: 'repository', help: 'OWNER/NAME; created if it does not exist' },
  ],
  options: [
    { flags: '--private', help: 'create the repository as private; refuse an existing public one' },
    { flags: '--dry-run', help: 'check everything, show what would change, and change nothing' },
    { flags: '--force', help: 'replace another model in the repository' },
    {
      flags: '--include <path>',
      help: 'also publish this file or folder of the exported folder, given by its relative path; publish otherwise sends only the known files of an export, and refuses any other',
      repeatable: true,
    },
    {
      flags: '--accept-license <ids>',
      help: 'licences of the source and the training text that you have read and may publish under, as publish names them, separated by commas: cc-by-nc-4.0,unknown; unknown means that no licence is stated',
    },
  ],
  examples: [
    'byteify publish smollm2-blt me/SmolLM2-135M-BLT --dry-run',
    'byteify publish llama-blt me/Llama-3.2-1B-BLT --private',
  ],
  async run(context, args) {
    const { reporter, signal } = context;
    const dryRun = args.dryRun ?? false;
    const { publication, published } = await publishStep(
      {
        reporter,
        signal,
        onPlan: (plan) => {
          if (dryRun) printResult(context, planDocument(plan), () => renderPlan(plan));
          else reporter.note(renderPlan(plan).trimEnd());
        },
      },
      {
        dir: args.dir,
        repository: args.repository,
        isPrivate: args.private ?? false,
        force: args.force ?? false,
        acceptedLicense: args.acceptLicense ?? null,
        include: args.include ?? [],
        dryRun,
      },
    );
    if (published === null) return;
    const document = publishedDocument(publication, published);
    printResult(context, document, () => renderPublished(document));
  },
};

function planDocument({ id, url, repository, files, changes }: Publication) {
  const uploaded = new Set(changes.upload);
  return {
    repository: id,
    url,
    exists: repository !== null,
    private: repository?.private ?? null,
    files: files.map((file) => ({
      path: file.path,
      size_bytes: file.sizeBytes,
      sha256: file.sha256,
      change: uploaded.has(file) ? 'upload' : 'none',
    })),
    removed: changes.remove,
    total_bytes: sum(files),
    upload_bytes: sum(changes.upload),
  };
}

function publishedDocument({ id, url, repository, changes, files }: Publication, published: Published) {
  return {
    repository: id,
    url,
    commit: published.commit,
    created: published.created,
    private: repository?.private ?? null,
    uploaded: changes.upload.map(({ path }) => path),
    skipped: changes.unchanged.map(({ path }) => path),
    removed: changes.remove,
    total_bytes: sum(files),
    sent_bytes: published.sentBytes,
  };
}

function renderPlan({ url, repository, files, changes }: Publication): string {
  const uploaded = new Set(changes.upload);
  const rows = [
    ...files.map((file) => [file.path, humanBytes(file.sizeBytes), uploaded.has(file) ? 'upload' : 'unchanged']),
    ...changes.remove.map((path) => [path, '', 'remove']),
  ];
  const table = renderTable([{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'change' }], rows);
  const state = repository === null ? 'new' : repository.private ? 'private' : 'public';
  return `${table}${humanBytes(sum(changes.upload))} of ${humanBytes(sum(files))} to upload to ${url} (${state})\n`;
}

function renderPublished(document: ReturnType<typeof publishedDocument>): string {
  return renderPairs([
    ['repository', document.url],
    ['commit', document.commit],
    ['uploaded', `${counted(document.uploaded.length, 'file')}, ${humanBytes(document.sent_bytes)} over the network`],
    ['unchanged', counted(document.skipped.length, 'file')],
    ...(document.removed.length === 0 ? [] : [['removed', document.removed.join(', ')] as const]),
  ]);
}

function sum(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}
