import { expect, it } from 'vitest';
import { modelAt } from '../../src/commands/shared-options.js';

it('appends the revision to a hub id', () => {
  expect(modelAt('org/name', 'refs/pr/1')).toBe('org/name@refs/pr/1');
  expect(modelAt('org/name@v1', undefined)).toBe('org/name@v1');
});

it.each(['org/name@v1', '.', 'package.json'])('refuses a revision of %s', (model) => {
  expect(() => modelAt(model, 'v2')).toThrow(`${model} takes no --revision.`);
});
