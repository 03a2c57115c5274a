/** @module The error for a command-line path that does not exist. */
import { UsageError } from '../errors.js';
import { danglingLink } from '../system-errors.js';

/** Builds the error for a path that does not exist. If a dangling link is the reason, the message names it. */
export function missingPath(path: string, hint: string): UsageError {
  const dangling = danglingLink(path);
  if (dangling === null) return new UsageError(`${path} does not exist.`, { hint });
  return new UsageError(
    `${path} cannot be found: ${dangling.link} is a link to ${dangling.target}, which does not exist.`,
    {
      hint: 'Restore what the link leads to, or give the path of the file itself.',
    },
  );
}
