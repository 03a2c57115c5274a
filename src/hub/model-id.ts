/** @module Model ids: org/name, with an optional @revision. */
import { UsageError } from '../errors.js';

export interface ModelId {
  readonly id: string;
  /** A branch, a tag or a commit; `main` by default. */
  readonly revision: string;
}

const PART = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';
const ID = new RegExp(`^${PART}/${PART}$`);
/** Names that git allows for a ref, except those that would alter a URL or escape from a folder. */
const REVISION = /^(?!.*(\.\.|\/\/|\/\.|\.lock(\/|$)))[A-Za-z0-9_][A-Za-z0-9_.+/-]*(?<![/.])$/;

/** Whether a text is a valid owner/name. The cache writes "--" for "/", and the hub allows neither "--" nor ".." in a name. */
export function isRepositoryId(id: string): boolean {
  return ID.test(id) && !id.includes('..') && !id.includes('--');
}

/** Whether an id is that of a dataset, which the hub writes as datasets/org/name. */
export const isDatasetId = (id: string): boolean => id.split('/').length === 3;

/** Parses org/name[@revision]. @throws UsageError if it is not a valid id or revision. */
export function parseModelId(text: string): ModelId {
  const at = text.indexOf('@');
  const id = at < 0 ? text : text.slice(0, at);
  const revision = at < 0 ? 'main' : text.slice(at + 1);
  if (!isRepositoryId(id)) {
    throw new UsageError(`"${text}" is neither a path that exists nor a hub id.`, {
      hint: 'A hub id looks like org/name or org/name@revision.',
    });
  }
  if (!REVISION.test(revision)) {
    throw new UsageError(`"${revision}" cannot be a revision of ${id}.`, {
      hint: 'A revision is a branch, a tag or a commit: org/name@main.',
    });
  }
  return { id, revision };
}

const DATASET = /^datasets\/([^/@]+\/[^/@]+)(?:@(refs\/(?:convert|pr)\/[^/]+|[^/]+))?(?:\/(.+))?$/;

/** A dataset, with the path of a folder, a file or a pattern with `*` in it; empty for all of it. */
export interface DatasetId extends ModelId {
  readonly path: string;
}

/** Parses datasets/org/name[@revision][/path]. @throws UsageError if it is not a valid id or revision */
export function parseDatasetId(text: string): DatasetId {
  const [, name, revision = 'main', path = ''] = DATASET.exec(text) ?? [];
  if (name === undefined || !isRepositoryId(name))
    throw new UsageError(`"${text}" is not the id of a dataset.`, {
      hint: 'Write datasets/org/name, with an optional @revision and /path.',
    });
  return { ...parseModelId(`${name}@${revision}`), id: `datasets/${name}`, path: path.replace(/\/+$/, '') };
}
