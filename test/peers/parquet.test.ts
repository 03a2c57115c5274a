import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentsOf } from '../../src/data/documents.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

describe.skipIf(peersPython() === null)('Parquet files that pyarrow wrote', () => {
  it('give the texts that pyarrow wrote, in every compression', async () => {
    const texts = await askPeer<(string | null)[]>('parquet.py', [folder()]);
    const files = readdirSync(folder());
    expect(files).toHaveLength(48);
    for (const file of files) {
      const found: (string | number | undefined)[] = [];
      const options = { path: join(folder(), file), kind: 'text', textKey: 'text', onStored: () => undefined } as const;
      for await (const one of documentsOf(options))
        found.push('refused' in one ? one.refused.line : Buffer.from(one.bytes).toString());
      expect(found, file).toEqual(texts.map((text, i) => text || i + 1));
    }
  });
});
