import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../src/errors.js';
import { deserializeError, serializeError } from '../src/serialized-error.js';

const sent = (thrown: unknown) => deserializeError(structuredClone(serializeError(thrown)));

describe('an error sent to another thread', () => {
  it('keeps its class, hint, exit code, stack and causes', () => {
    const cause = Object.assign(new Error('no such file'), { code: 'ENOENT', path: '/a', retry: () => {} });
    const error = new ByteifyError('It cannot be read.', { hint: 'Look.', exitCode: 2, cause });
    const found = sent(error) as ByteifyError;
    expect(found).toBeInstanceOf(ByteifyError);
    const told = ({ message, hint, exitCode, stack }: ByteifyError) => ({ message, hint, exitCode, stack });
    expect(told(found)).toEqual(told(error));
    expect(found.cause).toBeInstanceOf(Error);
    expect(found.cause).not.toBeInstanceOf(ByteifyError);
    expect(found.cause).toMatchObject({ message: 'no such file', code: 'ENOENT', path: '/a' });
  });

  it('is an Error even if another value was thrown', () => {
    expect(sent('no error')).toMatchObject({ message: 'no error' });
  });
});
