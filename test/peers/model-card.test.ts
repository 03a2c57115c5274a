import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRecipe } from '../../src/recipe/index.js';
import { cardFromManifest, modelCard, readCard } from '../../src/release/index.js';
import { askPeer, peersPython } from '../support/peers.js';
import { manifestOf, ODC_BY, SMALL_MODEL } from '../support/release.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

interface PeerCard {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: unknown;
  readonly yaml: unknown;
  readonly again: unknown;
  readonly text: string;
}

describe.skipIf(peersPython() === null)('Python’s huggingface_hub', () => {
  it('reads each card as byteify does', async () => {
    const recipe = await loadRecipe('llama-3.2-1b');
    const manifests = {
      'llama.md': manifestOf({ license: 'llama3.2' }),
      'house.md': manifestOf({ license: 'House: "Terms" 1.0' }),
      'local.md': manifestOf({ license: null, revision: null, model: '/models/1e5.gguf' }),
      'plain.md': null,
    };
    // Norwegian is `no`, a boolean in YAML 1.1; `123/456` and `1e3` must stay texts.
    const dataSources = [ODC_BY, { name: 'x', license: 'mit', hub_id: '1e3', language: ['no', 'yes'] }];
    const cards = new Map<string, string>();
    for (const [name, manifest] of Object.entries(manifests)) {
      const card = cardFromManifest(manifest, { name, recipe, dataSources, licenceFiles: ['LICENSE'] });
      cards.set(join(folder(), name), modelCard(card, SMALL_MODEL));
    }
    for (const [path, card] of cards) await writeFile(path, card);
    const peer = await askPeer<Record<string, PeerCard>>('model_card.py', [...cards.keys()]);
    for (const [path, card] of cards) {
      const { front, body } = readCard(card);
      const theirs = peer[path]!;
      expect(theirs.yaml, path).toEqual(front);
      expect(theirs.metadata, path).toEqual(front);
      expect(theirs.data, path).toEqual(front);
      expect(theirs.again, path).toEqual(front);
      expect(theirs.text.trim(), path).toBe(body.trim());
    }
  });
});
