import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, bltTensors, encodeBytes } from '../../../src/blt/index.js';
import { createVariable, startEngine, tf } from '../../../src/engine/index.js';
import { type DecodingOptions, openDecoding } from '../../../src/model/decoding/decoding.js';
import type { HeldBlt } from '../../../src/model/decoding/held-blt.js';
import { type BltModel, bltLogits, cutIntoPatches, openBlt, wholeRow } from '../../../src/model/index.js';
import { goldenPath, maxDifference } from '../../support/golden.js';

const TOLERANCE = 1e-4;

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

/** A golden model with another way of cutting. */
interface Opened {
  readonly held: HeldBlt;
  readonly model: BltModel;
}

async function open(name: string): Promise<Opened> {
  const opened = await openBlt(goldenPath(name));
  // The golden models are for 64 bytes by their config; nothing in them depends on it.
  const model = { ...opened, config: { ...opened.config, maxPositions: 1000 } };
  const weights = new Map(
    bltTensors(model.config).map(({ name }) => [name, createVariable(model.params.get(name)!)] as const),
  );
  return { model, held: { config: model.config, weights } };
}

const withPatching = ({ held, model }: Opened, patching: Partial<BltConfig['patching']>): Opened => {
  const config = { ...model.config, patching: { ...model.config.patching, ...patching } };
  return { held: { ...held, config }, model: { ...model, config } };
};

/** The whole text at once: what every prefix's last logits are, too, since the model is causal. */
function whole({ params, config }: BltModel, ids: Int32Array) {
  const { batch, entropies } = cutIntoPatches(params, config, [wholeRow(ids)]);
  const logits = tf.tidy(() => bltLogits(params, config, batch).dataSync() as Float32Array);
  return { logits, entropies, patches: batch.patchLengths[0]![0]!.length };
}

/** Reads texts side by side in pieces of some lengths, in turn. */
async function read(
  held: HeldBlt,
  texts: readonly Int32Array[],
  pieces: readonly number[],
  options: Partial<DecodingOptions> = {},
) {
  const decoding = openDecoding(held, { lanes: texts.length, mode: 'graph', ...options });
  const found = texts.map(() => ({ logits: [] as number[], entropies: [] as number[] }));
  const at = texts.map(() => 0);
  for (let turn = 0; texts.some((ids, lane) => at[lane]! < ids.length); turn++) {
    const part = texts.map((ids, lane) => ids.subarray(at[lane]!, at[lane]! + pieces[(turn + lane) % pieces.length]!));
    const outputs = await decoding.read(part);
    outputs.forEach(({ logits, entropies }, lane) => {
      at[lane]! += part[lane]!.length;
      found[lane]!.logits.push(...logits);
      found[lane]!.entropies.push(...entropies);
    });
  }
  const states = texts.map((_, lane) => decoding.state(lane));
  decoding.dispose();
  return found.map((one, lane) => ({ ...one, ...states[lane]! }));
}

function expectWhole(model: BltModel, ids: Int32Array, found: Awaited<ReturnType<typeof read>>[number]) {
  const { logits, entropies, patches } = whole(model, ids);
  expect(found.length).toBe(ids.length);
  expect(maxDifference(found.entropies, entropies)).toBeLessThan(TOLERANCE);
  // Canonical lengths count the patch that is open.
  expect(found.patches + 1).toBe(patches);
  expect(maxDifference(found.logits, logits)).toBeLessThan(TOLERANCE);
}

const textOf = (length: number) =>
  encodeBytes(Buffer.from('To be, or not to be: that is the question – '.repeat(200)).subarray(0, length));

describe.each(['plain/blt', 'projection-gqa'])('incremental decoding of %s', (name) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await open(name);
  });
  afterAll(() => {
    for (const variable of opened.held.weights.values()) variable.dispose();
    opened.model.dispose();
  });

  it.each([
    ['byte by byte', [1]],
    ['in pieces', [7, 1, 20, 3]],
    ['as one prompt', [1000]],
  ])('%s gives what the whole text gives', async (_, pieces) => {
    const ids = textOf(150);
    const [found] = await read(opened.held, [ids], pieces, { chunk: 16 });
    expectWhole(opened.model, ids, found!);
  });

  it('keeps lanes of different lengths apart', async () => {
    const texts = [textOf(90), textOf(33).map((id) => (id % 200) + 4), Int32Array.from([1]), textOf(61).toReversed()];
    texts[3]![0] = 1;
    const found = await read(opened.held, texts, [5, 1, 11], { chunk: 8 });
    texts.forEach((ids, lane) => {
      expectWhole(opened.model, ids, found[lane]!);
    });
  });

  it.each([
    ['patches that never close', { threshold: 100 }],
    ['a patch a byte', { threshold: -1 }],
    ['a greatest length', { threshold: 100, maxPatchLength: 3 }],
  ])('with %s', async (_, patching) => {
    const changed = withPatching(opened, patching);
    const ids = textOf(120);
    const [found] = await read(changed.held, [ids], [1, 30], { chunk: 8 });
    expectWhole(changed.model, ids, found!);
  });
});
