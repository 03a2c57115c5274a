import { expect, it } from 'vitest';
import { encodeBytes } from '../../../src/blt/index.js';
import { startEngine, tf } from '../../../src/engine/index.js';
import { exportTransformers } from '../../../src/export/index.js';
import { cutIntoPatches, openBlt, openDecoding, openResidentModel } from '../../../src/model/index.js';
import { wholeRow } from '../../../src/patching/index.js';
import { cardFromManifest } from '../../../src/release/index.js';
import { bltLogits } from '../../support/blt-logits.js';
import { goldenPath, maxDifference } from '../../support/golden.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const IDS = encodeBytes(new TextEncoder().encode('Weights in half the bytes, the same text.'));

it.each([
  ['plain/blt', 'xla'],
  ['projection-gqa', 'xla'],
  ['plain/blt', 'graph'],
] as const)('%s stays in bfloat16 in memory, and by %s gives the same logits as in float32', async (name, mode) => {
  await startEngine({ threads: 2 });
  const out = `${folder()}/bf16`;
  const card = cardFromManifest(null, { name: 'golden' });
  await exportTransformers({ from: goldenPath(name), out, dtype: 'bfloat16', card });
  const resident = await openResidentModel(out);
  const storages = new Map([...resident.weights].map(([weight, { storage }]) => [weight, storage]));
  expect(storages.get('lm_head.weight')).toBe('bfloat16');
  expect(storages.get('model.encoder_hash_tok_embedding.weight')).toBe('float32');
  const decoding = openDecoding(resident, { slots: 1, mode, chunk: 8 });
  await decoding.compileInBackground();
  const logits: number[] = [];
  // Chunks, then single bytes, for which XLA compiles a separate step.
  for (const part of [IDS.subarray(0, 21), ...Array.from(IDS.subarray(21), (id) => [id])]) {
    const [output] = await decoding.read([part]);
    logits.push(...output!.logits);
  }
  decoding.dispose();
  resident.dispose();
  const { params, config, dispose } = await openBlt(out);
  const { batch } = cutIntoPatches(params, config, [wholeRow(IDS)]);
  const wanted = tf.tidy(() => bltLogits(params, config, batch).dataSync());
  dispose();
  expect(maxDifference(logits, wanted)).toBeLessThan(1e-4);
});

it('weights stored in float32 stay float32 by default', async () => {
  await startEngine({ threads: 2 });
  const wide = await openResidentModel(goldenPath('plain/blt'));
  const narrow = await openResidentModel(goldenPath('plain/blt'), { weights: 'bfloat16' });
  const storages = (resident: typeof wide) => new Set([...resident.weights.values()].map(({ storage }) => storage));
  expect(storages(wide)).toEqual(new Set(['float32']));
  expect(storages(narrow)).toEqual(new Set(['float32', 'bfloat16']));
  wide.dispose();
  narrow.dispose();
});
