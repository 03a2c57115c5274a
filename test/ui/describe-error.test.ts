import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ByteifyError, UsageError } from '../../src/errors.js';
import { describeError } from '../../src/ui/describe-error.js';
import { printError } from '../../src/ui/print-error.js';

describe('describeError', () => {
  it('keeps the message, hint and exit code of byteify’s own errors', () => {
    expect(describeError(new UsageError('Bad.', { hint: 'Do this.' }))).toEqual({
      message: 'Bad.',
      hint: 'Do this.',
      exitCode: 2,
    });
    expect(describeError(new ByteifyError('Failed.'))).toEqual({ message: 'Failed.', hint: null, exitCode: 1 });
  });

  it('describes a real system error in words', async () => {
    const missing = await readFile('/no/such/file').catch((error: unknown) => error);
    expect(describeError(missing)).toEqual({
      message: '/no/such/file does not exist.',
      hint: 'Check the spelling of the path.',
      exitCode: 1,
    });
  });

  it('finds the reason that fetch hides in its cause', async () => {
    const badPort = await fetch('http://127.0.0.1:1/').catch((error: unknown) => error);
    expect(describeError(badPort).message).toBe('fetch failed: bad port');
    const nested = new TypeError('fetch failed', {
      cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 80 }),
    });
    expect(describeError(nested).message).toBe('127.0.0.1:80 refuses connections.');
  });

  it('shortens an unknown error to its first line', () => {
    expect(describeError(new Error('first\nsecond')).message).toBe('first');
    expect(describeError('').message).toBe('Something failed without an error message.');
    expect(describeError(undefined).exitCode).toBe(1);
  });
});

describe('printError', () => {
  const print = (error: unknown, verbose: boolean, env: Record<string, string> = {}) => {
    let text = '';
    const stream = { isTTY: false, write: (chunk: string) => (text += chunk) };
    const code = printError(error, { stream, env, verbose });
    return { text, code };
  };

  it('prints a sentence and a hint', () => {
    expect(print(new UsageError('Bad.', { hint: 'Do this.' }), false)).toEqual({
      text: 'error: Bad.\nhint: Do this.\n',
      code: 2,
    });
  });

  it('prints stacks and causes only on request', () => {
    const error = new ByteifyError('Outer.', { cause: new Error('inner') });
    expect(print(error, false).text).toBe('error: Outer.\n');
    expect(print(error, true).text).toMatch(/at .*describe-error\.test\.ts[\s\S]*caused by Error: inner/);
  });

  it('colours only when the environment wants it', () => {
    expect(print(new Error('x'), false, { FORCE_COLOR: '1' }).text).toContain('\u001b[31merror:');
    expect(print(new Error('x'), false, { FORCE_COLOR: '1', NO_COLOR: '1' }).text).not.toContain('\u001b');
  });
});
