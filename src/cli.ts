#!/usr/bin/env node
/** @module The executable: it connects the streams and sets the exit code. The command table is `commands/verbs.ts`. */

import { verbOf } from './commands/build-program.js';
import { dispatch } from './commands/dispatch.js';
import { VERBS } from './commands/verbs.js';
import { restartOnHugePages } from './engine/huge-pages.js';
import { printError } from './ui/index.js';
import { toolVersion } from './version.js';

const argv = process.argv.slice(2);
if (verbOf(argv, VERBS)?.computes) restartOnHugePages();

const { stdout, stderr, env } = process;

// `byteify ... | head` closes the pipe early. That is not an error, and must not end a conversion.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
stderr.on('error', () => undefined);

// Handles a bug in a callback, for which Node would otherwise print a stack trace.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    process.exit(printError(error, { stream: stderr, env, verbose: argv.includes('--verbose') }));
  });
}

const code = await dispatch({
  argv,
  verbs: VERBS,
  version: toolVersion(),
  stdout,
  stderr,
  env,
  signals: process,
  exit: (now) => process.exit(now),
});
// Pipes are written asynchronously: wait for the last byte, then end even if an idle socket is still open.
stdout.write('', () => process.exit(code));
