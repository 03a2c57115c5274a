import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkExport, exportFiles, exportTransformers } from '../../src/export/index.js';
import { cardFromManifest } from '../../src/release/index.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const work = temporaryFolder();

it('knows every file that an export writes, and nothing else', async () => {
  const out = join(work(), 'blt');
  const papers = ['LICENSE.txt', 'NOTICE', 'USE_POLICY.md', 'chat_template.jinja', 'provenance.json', 'recipe.yaml'];
  const card = cardFromManifest(null, { name: 'tiny' });
  const more = { card, papers: new Map(papers.map((name) => [name, '{}'])), maxShardBytes: 400_000, ownsOut: true };
  await exportTransformers({ from: goldenPath('plain/blt'), out, dtype: 'float32', ...more });
  const isKnown = exportFiles((await checkExport(out)).weightFiles);
  const names = await readdir(out);
  expect(names).toEqual(expect.arrayContaining(papers));
  expect(names.filter((name) => !isKnown(name))).toEqual([]);
  for (const name of ['model.safetensors', 'id_rsa', 'optimizer.safetensors', 'sub/config.json', 'sub/LICENSE', '.env'])
    expect(isKnown(name), name).toBe(false);
});
