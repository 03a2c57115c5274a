/** @module The name of a repository that is to be written. */
import { UsageError } from '../../errors.js';
import { isRepositoryId } from '../model-id.js';

/** The hub's bound for owner and name together. */
const MAX_LENGTH = 96;

/**
 * @returns the name as it is, when the hub would take it.
 * @throws UsageError when it would not.
 */
export function checkRepositoryName(text: string): string {
  const hint =
    'A repository is named OWNER/NAME: letters and digits, with -, _ or . between them (never -- or ..), no .git at the end, 96 characters at most.';
  if (!text.includes('/')) throw new UsageError(`"${text}" names no owner.`, { hint });
  if (!isRepositoryId(text) || text.endsWith('.git') || text.length > MAX_LENGTH) {
    throw new UsageError(`"${text}" cannot be the name of a repository on the hub.`, { hint });
  }
  return text;
}
