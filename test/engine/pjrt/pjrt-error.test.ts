import { expect, it } from 'vitest';
import { PjrtError } from '../../../src/engine/pjrt/pjrt-error.js';
import { ByteifyError } from '../../../src/errors.js';

it('says in one sentence what a user can do something about, and what', () => {
  const error = new PjrtError('RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.\n  at stack', 8);
  expect(error).toBeInstanceOf(ByteifyError);
  expect(error.message).toBe(
    'The device has too little memory: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes.',
  );
  expect(error.hint).toContain('micro_batch_size');
  expect(new PjrtError('UNAVAILABLE: gone', 14).hint).toContain('last checkpoint');
});

it('passes on everything else as the plugin says it', () => {
  const error = new PjrtError('INVALID_ARGUMENT: line 1\nline 2', 3);
  expect(error.message).toBe('INVALID_ARGUMENT: line 1\nline 2');
  expect(error.hint).toBeUndefined();
});
