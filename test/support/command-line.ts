/** Runs a whole command line in this process, as the executable does, with its exit code and streams. */
import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { expect } from 'vitest';
import { dispatch } from '../../src/commands/dispatch.js';
import { VERBS } from '../../src/commands/verbs.js';

export interface Answered {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param argv what follows `byteify`. */
export async function commandLine(...argv: readonly string[]): Promise<Answered> {
  const out = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof out) =>
    new Writable({
      write(chunk: Uint8Array, _encoding, done) {
        out[name] += Buffer.from(chunk).toString('utf8');
        done();
      },
    });
  const code = await dispatch({
    argv,
    verbs: VERBS,
    version: '0.0.0',
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: {},
    signals: new EventEmitter(),
    exit: (code) => {
      throw new Error(`the process would have ended with ${code}`);
    },
  });
  return { code, ...out };
}

/** Expects wrong usage: exit code 2, nothing on stdout, one sentence that contains the text, and no stack. */
export const wrongUsage = (text: string | RegExp) => ({
  code: 2,
  stdout: '',
  stderr: typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text),
});
