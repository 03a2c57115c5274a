/** @module Model ids: org/name, or name alone, with an optional @revision. */
import { UsageError } from '../errors.js';

export interface ModelId {
  readonly id: string;
  readonly revision: string;
}

const PART = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?';
const ID = new RegExp(`^${PART}(?:/${PART})?$`);

/** @throws UsageError when it cannot be an id. */
export function parseModelId(text: string): ModelId {
  const [id = '', revision = 'main', ...rest] = text.split('@');
  const sound = ID.test(id) && !id.includes('..') && !id.includes('--') && rest.length === 0;
  if (!sound || revision === '' || /[\s?#]|\.\./.test(revision)) {
    throw new UsageError(`"${text}" is neither a path that exists nor a hub id.`, {
      hint: 'A hub id looks like org/name or org/name@revision.',
    });
  }
  return { id, revision };
}
