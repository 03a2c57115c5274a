import { expect, it } from 'vitest';
import { releaseShortfalls } from '../../src/release/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('a folder without a card falls short', async () => {
  const params = { folder: folder(), manifest: null, repository: 'me/model', acceptedLicense: null };
  expect((await releaseShortfalls(params)).length).toBeGreaterThan(0);
});
