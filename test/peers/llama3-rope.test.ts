import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { gatherRows, startEngine, tf } from '../../src/engine/index.js';
import { openLlama } from '../../src/llama/index.js';
import { llamaHidden, llamaLosses, openBlt, openLlamaModel } from '../../src/model/index.js';
import { blockContext, blocks } from '../../src/model/transformer.js';
import { remap } from '../../src/remap/index.js';
import { maxDifference } from '../support/golden.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-llama3-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const folder = join(work, 'llama');

const PARITY = 1e-4;

interface Peer {
  readonly ids: number[];
  /** Before the final norm. */
  readonly last_layer: number[];
  readonly hidden: number[];
  readonly losses: number[];
}

describe.skipIf(peersPython() === null)('transformers with a Llama of llama3 rope scaling', () => {
  let peer: Peer;
  let ids: Int32Array;
  beforeAll(async () => {
    await startEngine({ threads: 2 });
    peer = await askPeer<Peer>('llama3_rope.py', [folder]);
    ids = Int32Array.from(peer.ids);
  });

  it('has the hidden states and losses of byteify’s source model', async () => {
    const model = await openLlamaModel(folder);
    expect(model.config.rope).toMatchObject({ type: 'llama3', factor: 8, originalMaxPositions: 64 });
    const hidden = tf.tidy(() => llamaHidden(model, ids).hidden.dataSync());
    expect(maxDifference(hidden, peer.hidden)).toBeLessThan(PARITY);
    expect(maxDifference(llamaLosses(model, ids), peer.losses)).toBeLessThan(PARITY);
    model.dispose();
  });

  it('has the hidden states of the remapped latent global transformer', async () => {
    const source = await openLlama(folder);
    const config = bltConfigFor(source.config, deriveLocalSizes(source.config));
    await remap({ source, config, out: join(work, 'blt'), seed: 1, dtype: 'source' });
    await source.close();
    const [llama, blt] = [await openLlamaModel(folder), await openBlt(join(work, 'blt'))];
    expect(blt.config.global.rope).toEqual(llama.config.rope);
    const found = tf.tidy(() => {
      const embedded = gatherRows(llama.params.get('model.embed_tokens.weight')!, tf.tensor1d(ids, 'int32'));
      const context = blockContext(blt.config.global, { rows: 1, length: ids.length, documents: null });
      return blocks(embedded, blt.params, 'model.global_transformer', context).dataSync();
    });
    expect(maxDifference(found, peer.last_layer)).toBeLessThan(PARITY);
    llama.dispose();
    blt.dispose();
  });
});
