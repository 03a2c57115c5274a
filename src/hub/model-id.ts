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
