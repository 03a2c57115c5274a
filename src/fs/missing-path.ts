/** @module A path of the command line that leads to nothing. */
import { UsageError } from '../errors.js';
import { danglingLink } from '../system-errors.js';

/** The error for a path that nothing exists at: a link on the way that leads nowhere is named. */
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
