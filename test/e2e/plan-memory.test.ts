import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BltConfig,
  bltConfigFor,
  deriveLocalSizes,
  muonShare,
  type SourceSizes,
  type StageShape,
} from '../../src/blt/index.js';
import { multipliesBfloat16 } from '../../src/engine/bfloat16-products.js';
import { trainingMemory, usedParametersByPart } from '../../src/plan/index.js';
import { writeRandomBlt } from '../support/random-blt.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'byteify-peak-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain = { rmsNormEps: 1e-5, rope: { type: 'default' as const, theta: 10_000 } };
const SOURCES: Record<string, SourceSizes> = {
  tiny: { ...plain, hiddenSize: 128, layers: 6, heads: 4, kvHeads: 2, intermediateSize: 352 },
  small: { ...plain, hiddenSize: 512, layers: 12, heads: 8, kvHeads: 4, intermediateSize: 1408 },
};
const [ROWS, BYTES] = [8, 1024];
const END_TO_END: StageShape = { kind: 'end-to-end', frozen: [], losses: { prefix_kl: 0 } };
const SCRIPT = fileURLToPath(new URL('../support/train-peak.mjs', import.meta.url));

async function measured(name: string, options: object, [rows, bytes] = [ROWS, BYTES]): Promise<number> {
  const { stdout } = await run(process.execPath, [
    SCRIPT,
    join(folder, name),
    `${rows}`,
    `${bytes}`,
    JSON.stringify(options),
  ]);
  return Number(stdout.trim().split('\n').at(-1));
}

/** A model so small that its training takes only the memory of the process itself: Node, TensorFlow's libraries and compiled code. */
const SMALLEST: SourceSizes = { ...plain, hiddenSize: 32, layers: 1, heads: 2, kvHeads: 1, intermediateSize: 64 };
beforeAll(async () => {
  const sizes = { ...deriveLocalSizes(SMALLEST), hashVocab: 100 };
  await writeRandomBlt(join(folder, 'smallest'), bltConfigFor(SMALLEST, sizes));
});

/** The libraries' code depends on the processor, so the plan's figure for them is accurate to a third. */
const RUNTIME_SHARE = 1 / 3;
/** Tolerance for everything: allocators round up and keep freed memory, and operations run before their results are needed. */
const PEAK_SHARE = 0.15;
/** Freed memory that malloc's arenas keep, whatever the size of the model: most where TensorFlow runs without oneDNN. */
const ARENA_BYTES = 150e6;

/** A plan is for machines with bfloat16 products. Without them each operand is widened to a copy in float32. */
const IN_BFLOAT16 = multipliesBfloat16(process.env)
  ? ([['products in bfloat16', { precision: 'bfloat16' }]] as const)
  : [];

/** The prediction of `byteify plan`, and the memory that a process took beyond one that trains almost nothing. */
describe.each(Object.keys(SOURCES))('the plan of a %s model', (name) => {
  let config: BltConfig;
  beforeAll(async () => {
    const source = SOURCES[name]!;
    config = bltConfigFor(source, deriveLocalSizes(source));
    await writeRandomBlt(join(folder, name), config);
  });

  it.each([
    ['the defaults', {}],
    ['gradient checkpointing', { gradientCheckpointing: true }],
    ...IN_BFLOAT16,
    ['moments in 8 bits', { moments: '8-bit' }],
    ['Muon', { optimizer: 'muon' }],
  ] as const)('agrees with the measured peak for %s', async (_how, options: Record<string, unknown>) => {
    const { peakBytes, runtimeBytes } = trainingMemory({
      config,
      muon: muonShare(config, END_TO_END, options.optimizer === 'muon' ? 'muon' : 'adamw'),
      counts: usedParametersByPart(config),
      stage: END_TO_END,
      source: { vocabSize: 320, bytesPerToken: 4 },
      text: { bytes: BYTES, bytesPerPatch: 4 },
      rows: ROWS,
      rowsPerStep: ROWS,
      precision: options.precision === 'bfloat16' ? 'bfloat16' : 'float32',
      gradientCheckpointing: options.gradientCheckpointing === true,
      optimizerState: options.moments === '8-bit' ? '8-bit' : 'float32',
      adapterParameters: 0,
      loadsSourceLayers: false,
      closedForm: null,
      frozenWeightBytes: 4,
    });
    const runtime = await measured('smallest', options, [1, 64]);
    const peak = await measured(name, options);
    const said = `planned ${peakBytes}, ${runtimeBytes} of it before the model; measured ${peak} and ${runtime}`;
    expect(Math.abs(runtimeBytes / runtime - 1), said).toBeLessThan(RUNTIME_SHARE);
    expect(Math.abs(peakBytes - runtimeBytes - (peak - runtime)), said).toBeLessThan(PEAK_SHARE * peak + ARENA_BYTES);
  });
});
