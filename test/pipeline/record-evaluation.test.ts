import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../src/conversion/index.js';
import { recordEvaluation } from '../../src/pipeline/index.js';
import { resultOf } from '../support/evaluation-results.js';
import { manifestOf } from '../support/release.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

describe('recording an evaluation', () => {
  it('enters it into the manifest, and the results of this checkpoint into the card of its export', async () => {
    await writeFile(join(folder(), 'byteify.json'), JSON.stringify(manifestOf({})));
    const [blt, out] = [join(folder(), 'blt'), join(folder(), 'evaluation')];
    await mkdir(blt);
    await mkdir(out);
    await writeFile(join(blt, 'config.json'), JSON.stringify({ model_type: 'blt' }));
    await writeFile(join(blt, 'README.md'), '## Results\n\nA table.\n');
    const results = [resultOf('cute')];
    const others = [resultOf('bpb'), resultOf('choice', { model: { sha256: 'another' } })];
    for (const result of [...results, ...others])
      await writeFile(join(out, `${result.suite}.json`), JSON.stringify(result));
    await recordEvaluation(folder(), out, results);
    const manifest = await readManifest(folder());
    expect(manifest!.evaluations).toEqual({
      cute: { finished: expect.any(String), model: 'm'.repeat(64), source: 's'.repeat(64), items: 1234 },
    });
    const card = await readFile(join(blt, 'README.md'), 'utf8');
    expect(card).toContain('**`cute`**');
    expect(card).toContain('**`bpb`**');
    expect(card).not.toContain('**`choice`**');
    await writeFile(join(out, 'bpb.json'), '{}');
    await expect(recordEvaluation(folder(), out, results)).rejects.toThrow('bpb.json');
  });

  it('leaves a folder without a manifest as it is', async () => {
    await recordEvaluation(folder(), folder(), [resultOf('cute')]);
    expect(await readManifest(folder())).toBeNull();
  });
});
