/** @module Checks the name of a repository to publish to. */
import { UsageError } from '../../errors.js';
import { isRepositoryId } from '../model-id.js';

/** The hub's limit for owner and name together. */
const MAX_LENGTH = 96;

/**
 * @returns the name unchanged.
 * @throws UsageError if the hub would not accept it.
 */
export function checkRepositoryName(text: string): string {
  const hint =
    'A repository is named OWNER/NAME: letters and digits, with -, _ or . between them (never -- or ..), no .git at the end, 96 characters at most.';
  if (!text.includes('/')) throw new UsageError(`"${text}" does not name an owner.`, { hint });
  if (!isRepositoryId(text) || text.endsWith('.git') || text.length > MAX_LENGTH) {
    throw new UsageError(`"${text}" is not a valid repository name on the hub.`, { hint });
  }
  return text;
}
