import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBltConfig } from '../../../src/blt/index.js';
import {
  allTexts,
  type ByteStore,
  buildStore,
  evaluationTexts,
  isContinuation,
  openStore,
  textDomain,
} from '../../../src/data/index.js';
import { startEngine } from '../../../src/engine/index.js';
import { trainPatcher } from '../../../src/finetune/index.js';
import { loadPatcher, patcherOutput } from '../../../src/model/index.js';
import { textBatch, textCuts } from '../../../src/patching/index.js';
import { uniformOf } from '../../../src/random.js';
import { recipeSchema } from '../../../src/recipe/index.js';
import { goldenPath } from '../../support/golden.js';

const INIT = goldenPath('plain/blt');
const folder = mkdtempSync(join(tmpdir(), 'byteify-characters-'));
let store: ByteStore;

/** Words of Cyrillic letters, two bytes each, of which the second is the less certain. */
function words(seed: number): string {
  const uniform = uniformOf(`words ${seed}`);
  const letter = () => String.fromCodePoint(0x430 + Math.floor(uniform() * 32));
  const word = () => Array.from({ length: 2 + Math.floor(uniform() * 5) }, letter).join('');
  return `${Array.from({ length: 30 }, word).join(' ')}.\n`;
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
  await mkdir(join(folder, 'text'));
  for (let i = 0; i < 120; i++) await writeFile(join(folder, 'text', `${i}.txt`), words(i + 1));
  const out = join(folder, 'data');
  const split = { validationFraction: 0.1, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain([join(folder, 'text')], 1024)], out, ...split });
  store = await openStore(out);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Trains a patcher. @returns the share of its cuts that are inside of characters, and its mean patch size */
async function insideShare(name: string, patcher: object): Promise<{ share: number; bytesPerPatch: number }> {
  const out = join(folder, name);
  const { bytesPerPatch } = await trainPatcher({
    ...{ init: INIT, out, tokenizerFolder: null, store, settings: name, signal: new AbortController().signal },
    recipe: recipeSchema.parse({
      name: 'test',
      patcher: {
        ...{ steps: 80, batch_bytes: 2048, sequence_length: 128, learning_rate: 1e-2, warmup_steps: 5 },
        ...{ target_bytes_per_patch: 4, ...patcher },
      },
      stages: [{ kind: 'end-to-end', steps: 1 }],
      evaluate: { validation_bytes: 4000 },
      hardware: { mode: 'graph' },
    }),
  });
  const config = await readBltConfig(out);
  const params = await loadPatcher(out, config);
  let [cuts, inside] = [0, 0];
  for (const text of allTexts(await evaluationTexts(store.validation, { maxBytes: 4000 }))) {
    const found = textCuts(patcherOutput(params, config, textBatch(text)), config.patching.threshold, null);
    found.subarray(0, -1).forEach((cut, i) => {
      if (cut === 0) return;
      cuts++;
      if (isContinuation(text[i + 1]!)) inside++;
    });
  }
  for (const tensor of params.values()) tensor.dispose();
  return { share: inside / cuts, bytesPerPatch };
}

describe('a patcher of text with several bytes per character', () => {
  it('cuts inside of characters, unless the loss forbids it', async () => {
    const plain = await insideShare('plain', {});
    const kept = await insideShare('kept', { character_weight: 1 });
    for (const { bytesPerPatch } of [plain, kept]) expect(bytesPerPatch).toBeCloseTo(4, 0);
    expect(plain.share).toBeGreaterThan(0.5);
    expect(kept.share).toBeLessThan(0.02);
  });
});
