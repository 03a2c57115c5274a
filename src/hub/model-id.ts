/** @module Model ids: org/name, with an optional @revision. */
import { UsageError } from '../errors.js';

export interface ModelId {
  readonly id: string;
  /** A branch, a tag or a commit; `main` when none is named. */
  readonly revision: string;
}

const PART = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';
const ID = new RegExp(`^${PART}/${PART}$`);
/** What git allows in the name of a ref, less what would change a URL or leave a folder. */
const REVISION = /^(?!.*(\.\.|\/\/|\/\.|\.lock(\/|$)))[A-Za-z0-9_][A-Za-z0-9_.+/-]*(?<![/.])$/;

/** The cache writes "--" for "/", and the hub allows neither it nor ".." in a name. */
export function isRepositoryId(id: string): boolean {
  return ID.test(id) && !id.includes('..') && !id.includes('--');
}

/** @throws UsageError when it cannot be an id. */
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
