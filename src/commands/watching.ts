/** @module `--watch`: shows the report of a conversion in a browser while it is made. */
import type { Context, OptionSpec } from './command.js';
import { parsers } from './command.js';

const MAXIMUM_PORT = 65_535;

export const watchOption: OptionSpec = {
  flags: '--watch [port]',
  help: 'serve the report of the run to a browser on this machine (default port: a free one)',
  parse: parsers.integer(0, MAXIMUM_PORT),
};

export interface WatchArgs {
  /** True for a free port. */
  readonly watch?: number | true;
}

/** Does work, and serves the report of a folder meanwhile if --watch was given. @throws UsageError when the port cannot be used */
export async function watching<T>(
  dir: string,
  { watch }: WatchArgs,
  { reporter }: Context,
  work: () => Promise<T>,
): Promise<T> {
  if (watch === undefined) return await work();
  const { openWatch } = await import('../report/index.js');
  const opened = await openWatch(dir, watch === true ? 0 : watch);
  reporter.note(`The report is at ${opened.url} while this command runs.`);
  try {
    return await work();
  } finally {
    await opened.close();
  }
}
