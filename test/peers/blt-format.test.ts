import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type BltConfig,
  bltConfigFor,
  bltTensors,
  deriveLocalSizes,
  encodeBytes,
  hashRows,
  inverseFrequencies,
  parseBltConfig,
  parseRope,
  patchIds,
  patchLengths,
  patchStarts,
  toTransformersConfig,
} from '../../src/blt/index.js';
import { tableOf } from '../support/markdown.js';
import { askPeer, peersPython } from '../support/peers.js';
import { REPOSITORY } from '../support/repository-texts.js';

const page = readFileSync(join(REPOSITORY, 'docs/blt-format.md'), 'utf8');

type Json = Record<string, unknown>;

interface Peer {
  readonly defaults: Readonly<Record<'top' | Part, Json>>;
  readonly parameters: number;
  readonly tensors: readonly Readonly<Record<string, number[]>>[];
  readonly reread: readonly Json[];
  readonly hash_rows: number[][];
  readonly patch_lengths: number[][];
  readonly patch_ids: Readonly<Record<'lengths' | 'encoder' | 'decoder', number[][]>>;
  readonly rotations: readonly { readonly frequencies: number[]; readonly turned: number[] }[];
  readonly deviations: Readonly<Record<string, { readonly relative: number; readonly largest: number }>>;
  readonly residuals: Readonly<Record<string, number>>;
  readonly windows: Readonly<
    Record<'5' | 'null', { encoder: number[]; decoder: number[]; global: number[]; global_positions: number[] }>
  >;
  readonly cross: Readonly<Record<'encoder' | 'decoder', number[][]>>;
  readonly padding: { readonly right: number; readonly left: number };
  readonly encoder_all_layers: number[];
  readonly traps: Json;
}

type Part = 'encoder_config' | 'decoder_config' | 'global_config' | 'patcher_config';
const PARTS = {
  encoder: 'encoder_config',
  decoder: 'decoder_config',
  global: 'global_config',
  patcher: 'patcher_config',
} as const;

/** The difference between float32 sums in different orders. */
const ROUNDING = 1e-5;
/** A difference far above it: a different result. */
const ANOTHER = 1e-2;

/** The `key` in a table's cell, without its backticks. */
const bare = (cell: string) => cell.replaceAll('`', '');

/** {a: {b: 1}} as {'a.b': 1}. */
function flattened(json: Json): Json {
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(flattened(value as Json)).map(([inner, of]) => [`${key}.${inner}`, of] as const)
        : [[key, value] as const],
    ),
  );
}

/** The keys of one column of a table, with their defaults; an empty cell means that the part does not have the key. */
function stated(table: readonly Readonly<Record<string, string>>[], column: string): Json {
  const rows = table.filter((row) => row[column] !== '');
  return Object.fromEntries(rows.map((row) => [bare(row.key!), JSON.parse(bare(row[column]!))]));
}

const SOURCE = {
  hiddenSize: 64,
  layers: 3,
  heads: 8,
  kvHeads: 2,
  intermediateSize: 96,
  rmsNormEps: 1e-5,
  rope: { type: 'llama3', theta: 500_000, factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
} as const;
const sizes = deriveLocalSizes(SOURCE);

/** With and without a projection, GQA, cross-attention in one layer only, several hash functions, windows and none. */
const CONFIGS: readonly BltConfig[] = (() => {
  const plain = bltConfigFor(SOURCE, { ...sizes, hashVocab: 64 });
  const projected = bltConfigFor(SOURCE, {
    ...sizes,
    crossAttnK: 4,
    hashFunctions: 3,
    hashVocab: 32,
    encoderLayers: 2,
  });
  return [
    plain,
    { ...projected, decoder: { ...projected.decoder, kvHeads: 1, crossAttnAllLayers: false } },
    {
      ...plain,
      encoder: { ...plain.encoder, window: null },
      decoder: { ...plain.decoder, window: null },
      patcher: { ...plain.patcher, window: null },
      patching: { threshold: 0.5, maxPatchLength: 7 },
    },
  ];
})();

/** A config that transformers accepts, although parseBltConfig may not. */
const ALL_ENCODER_LAYERS = (() => {
  const json = toTransformersConfig(CONFIGS[1]!, 'float32') as { encoder_config: Json };
  return { ...json, encoder_config: { ...json.encoder_config, cross_attn_all_layers: true } };
})();

/** Every tensor of a config, by the tables of section 3.1. */
function documentedTensors(json: Record<string, unknown>): Record<string, number[]> {
  const part = (name: Part) => json[name] as Record<string, number>;
  const {
    encoder_config: E,
    decoder_config: D,
    global_config: G,
    patcher_config: P,
  } = json as Record<Part, Record<string, number>>;
  const ofPart = { encoder: E, decoder: D, global: G, patcher: P };
  const crossings = (config: Record<string, number | boolean>) =>
    (config.cross_attn_all_layers ? config.num_hidden_layers : 1) as number;
  const k = json.cross_attn_k as number;
  const symbols: Record<string, number> = {
    k,
    V: json.vocab_size as number,
    T: (json.encoder_hash_byte_group_nb_functions as number) * (json.encoder_hash_byte_group_size as number[]).length,
    R: json.encoder_hash_byte_group_vocab as number,
    cE: crossings(part('encoder_config')),
    cD: crossings(part('decoder_config')),
    p: k * E.hidden_size! === G.hidden_size ? 0 : 1,
    ...Object.fromEntries(
      Object.entries({ E, D, G, P }).flatMap(([letter, config]) => [
        [`H${letter === 'G' ? 'g' : letter.toLowerCase()}`, config.hidden_size!],
        [`n${letter}`, config.num_hidden_layers!],
      ]),
    ),
  };
  const value = (expression: string, local: Record<string, number>) =>
    expression.split('·').reduce((product, symbol) => {
      const factor = local[symbol] ?? symbols[symbol] ?? Number(symbol);
      if (Number.isNaN(factor)) throw new Error(`${symbol} is no symbol of the page`);
      return product * factor;
    }, 1);
  const shapeOf = (cell: string, local: Record<string, number> = {}) =>
    cell
      .slice(1, -1)
      .split(', ')
      .map((dimension) => value(dimension, local));
  const inside = (what: string, of: keyof typeof ofPart) => {
    const config = ofPart[of];
    const H = config.hidden_size!;
    const kv = (H / config.num_attention_heads!) * config.num_key_value_heads!;
    const header = what === 'block' ? 'block tensor' : 'cross-attention tensor';
    const local = { H, kv, I: config.intermediate_size! };
    return tableOf(page, header).map((row) => [bare(row[header]!), shapeOf(row.shape!, local)] as const);
  };
  return Object.fromEntries(
    tableOf(page, 'tensor', 'shape', 'count').flatMap((row) =>
      Array.from({ length: value(row.count!, {}) }, (_, i) => bare(row.tensor!).replace('{i}', `${i}`)).flatMap(
        (name) => {
          const stack = /^(block|cross-attention) of the (\w+)$/.exec(row.shape!);
          if (stack === null) return [[name, shapeOf(row.shape!)] as const];
          return inside(stack[1]!, stack[2] as keyof typeof ofPart).map(
            ([suffix, shape]) => [`${name}.${suffix}`, shape] as const,
          );
        },
      ),
    ),
  );
}

const HASH = { sizes: [3, 8, 2, 5], functions: 12, vocab: 50_021 };
const HASHED = encodeBytes(new TextEncoder().encode('Wörter, words — 言葉: \u0000\u007f'), { eos: true });
const THRESHOLD = 1.5;
const nats = fc.float({ min: 0, max: 3, noNaN: true });
const TEXTS = fc.sample(fc.array(nats, { minLength: 1, maxLength: 40 }), { seed: 1, numRuns: 60 });
/** Rows of equal length with different numbers of patches. */
const BATCH = [
  [0, 2, 2, 0, 0, 3, 0, 2],
  [9, 0, 0, 0, 0, 0, 0, 0],
  [0, 9, 9, 9, 9, 9, 9, 9],
];
const ROPES = [
  { rope_type: 'default', rope_theta: 10_000 },
  {
    rope_type: 'llama3',
    rope_theta: 500_000,
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  },
];
const VECTOR = Array.from({ length: 16 }, (_, i) => Math.sin(i + 1));
const POSITION = 1000;
/** Patches of 1, 2, 3 and 4 positions, of which the last includes the next byte. */
const CROSS = [1, 2, 3, 4];

/** Canonical lengths in transformers' form: without the next byte. */
function transformersForm(entropies: readonly number[]): number[] {
  const lengths = [...patchLengths(patchStarts(Float32Array.from(entropies), THRESHOLD), entropies.length)];
  return [...lengths.slice(0, -1), lengths.at(-1)! - 1];
}

describe.skipIf(peersPython() === null)('docs/blt-format.md and transformers', () => {
  let peer: Peer;
  beforeAll(async () => {
    const request = {
      configs: [...CONFIGS.map((config) => toTransformersConfig(config, 'float32')), ALL_ENCODER_LAYERS],
      hash: { ...HASH, ids: [...HASHED] },
      threshold: THRESHOLD,
      released_threshold: 1.335442066192627,
      entropies: TEXTS,
      batch: BATCH,
      ropes: ROPES,
      vector: VECTOR,
      position: POSITION,
      cross: CROSS,
    };
    const folder = mkdtempSync(join(tmpdir(), 'byteify-format-'));
    try {
      const path = join(folder, 'request.json');
      writeFileSync(path, JSON.stringify(request));
      peer = await askPeer<Peer>('blt_format.py', [path]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('agree on every key and default of the config (3.2)', () => {
    expect(stated(tableOf(page, 'key', 'default'), 'default')).toEqual(flattened(peer.defaults.top));
    const parts = tableOf(page, 'key', 'encoder');
    for (const [column, part] of Object.entries(PARTS))
      expect(stated(parts, column), part).toEqual(flattened(peer.defaults[part]));
  });

  it('agree on every tensor and shape (3.1), and so does the code', () => {
    const jsons = CONFIGS.map((config) => toTransformersConfig(config, 'float32'));
    [...jsons, ALL_ENCODER_LAYERS].forEach((json, i) => {
      expect(documentedTensors(json), `config ${i}`).toEqual(peer.tensors[i]);
    });
    CONFIGS.forEach((config, i) => {
      const ours = Object.fromEntries(bltTensors(config).map(({ name, shape }) => [name, [...shape]]));
      expect(ours, `config ${i}`).toEqual(peer.tensors[i]);
    });
    expect(peer.parameters / 1e9).toBeCloseTo(4.63, 2);
  });

  it('read each other’s configs (3.2)', () => {
    CONFIGS.forEach((config, i) => {
      expect(parseBltConfig(peer.reread[i], 'config.json'), `config ${i}`).toEqual(config);
      const written = flattened(toTransformersConfig(config, 'float32'));
      const reread = flattened(peer.reread[i]!);
      const kept = Object.fromEntries(
        Object.keys(written).flatMap((key) => (key in reread ? [[key, reread[key]]] : [])),
      );
      expect(written).toMatchObject(kept);
    });
  });

  it('hash the same: oldest id first, wrapping, with every prime and past the last (1.3)', () => {
    const rows = hashRows(HASHED, HASH);
    const tables = HASH.functions * HASH.sizes.length;
    expect([...HASHED].map((_, p) => [...rows.subarray(p * tables, (p + 1) * tables)])).toEqual(peer.hash_rows);
  });

  it('agree on the hashes in the page’s example (1.3)', () => {
    const table = tableOf(page, 'n', 'hash at each of the 11 positions');
    const wanted = table.map((row) => row['hash at each of the 11 positions']!.split(' ').map(Number));
    const hash = { sizes: table.map(({ n }) => Number(n)), functions: 1, vocab: 500_002 };
    const rows = hashRows(encodeBytes(new TextEncoder().encode('my name is')), hash);
    const found = wanted.map((hashes, t) => hashes.map((_, p) => rows[p * wanted.length + t]! - t * hash.vocab));
    expect(found).toEqual(wanted);
  });

  it('segment alike, and number patches alike in a batch (1.7)', () => {
    expect(TEXTS.map(transformersForm)).toEqual(peer.patch_lengths);
    const ids = BATCH.map((row) => patchIds(patchStarts(Float32Array.from(row), THRESHOLD), row.length));
    expect(ids.map(({ encoder }) => [...encoder])).toEqual(peer.patch_ids.encoder);
    expect(ids.map(({ decoder }) => [...decoder])).toEqual(peer.patch_ids.decoder);
    expect(peer.patch_ids.lengths.flat()).toEqual(expect.arrayContaining([0, -1]));
    for (const lengths of peer.patch_ids.lengths)
      expect(lengths.reduce((sum, length) => sum + length)).toBe(BATCH[0]!.length);
  });

  it('rotate neighbouring channels by the stated angles, scaled or not (1.2, 4.3)', () => {
    ROPES.forEach((parameters, i) => {
      const { frequencies, turned } = peer.rotations[i]!;
      const ours = inverseFrequencies(parseRope({ rope_parameters: parameters }, 'config.json', 0), VECTOR.length);
      frequencies.forEach((frequency, j) => {
        expect(ours[j]! / frequency).toBeCloseTo(1, 5);
        const [x, y, angle] = [VECTOR[2 * j]!, VECTOR[2 * j + 1]!, POSITION * frequency];
        expect(turned[2 * j]).toBeCloseTo(x * Math.cos(angle) - y * Math.sin(angle), 3);
        expect(turned[2 * j + 1]).toBeCloseTo(y * Math.cos(angle) + x * Math.sin(angle), 3);
      });
    });
  });

  it('draw fresh weights from the stated distribution (3.1)', () => {
    for (const [name, { relative, largest }] of Object.entries(peer.deviations)) {
      // A normal distribution truncated at three standard deviations keeps 0.9866 of its deviation.
      expect(Math.abs(relative - 0.9866), name).toBeLessThan(0.03);
      expect(largest, name).toBeLessThanOrEqual(3.001);
    }
  });

  it('double the residual around cross-attention (1.4, 1.6)', () => {
    for (const [name, value] of Object.entries(peer.residuals)) expect(value, name).toBeLessThan(ROUNDING);
  });

  it('agree on visible keys: a window that includes the query, and none over patches (1.4, 1.5)', () => {
    const upTo = (most: number, length: number) => Array.from({ length }, (_, i) => Math.min(i + 1, most));
    const patches = { global: upTo(13, 13), global_positions: Array.from({ length: 13 }, (_, i) => i) };
    expect(peer.windows['5']).toEqual({ encoder: upTo(5, 12), decoder: upTo(5, 12), ...patches });
    expect(peer.windows.null).toEqual({ encoder: upTo(12, 12), decoder: upTo(12, 12), ...patches });
  });

  it('attend from k neighbouring rows to the bytes of their patch, and from a byte to one closed patch (1.4, 1.6)', () => {
    const count = CROSS.reduce((sum, length) => sum + length) - 1;
    const starts = Int32Array.from(CROSS.map((_, j) => CROSS.slice(0, j).reduce((sum, length) => sum + length, 0)));
    const { encoder, decoder } = patchIds(starts, count);
    const bytesOf = (patch: number) => [...encoder.keys()].filter((p) => encoder[p] === patch);
    expect(peer.cross.encoder).toEqual(CROSS.flatMap((_, patch) => [bytesOf(patch), bytesOf(patch)]));
    expect(peer.cross.decoder).toEqual([...decoder].map((patch) => [2 * patch, 2 * patch + 1]));
  });

  it('pool after each layer with cross_attn_all_layers in the encoder, and use only the last (1.4)', () => {
    const [first, last] = peer.encoder_all_layers;
    expect(first).toBe(0);
    expect(last).toBeGreaterThan(ANOTHER);
  });

  it('are not changed by padding on the right, but are by padding on the left (2.5)', () => {
    expect(peer.padding.right).toBeLessThan(ROUNDING);
    expect(peer.padding.left).toBeGreaterThan(ANOTHER);
  });

  it('are causal without max_patch_length, and not with it (1.6, 1.7)', () => {
    expect(peer.traps.patches).toBeGreaterThan(4);
    expect(peer.traps.prefix).toBeLessThan(ROUNDING);
    expect(peer.traps.prefix_with_max_patch_length).toBeGreaterThan(ANOTHER);
  });

  it('make every byte a patch in another patching mode, and accept patch lengths (2.6)', () => {
    expect(peer.traps.other_patching_mode).toBeLessThan(ROUNDING);
    expect(peer.traps.patch_lengths_matter).toBeGreaterThan(ANOTHER);
  });

  it('fail with the default use_cache, and not without (3.2)', () => {
    const message = /^AttributeError: 'BltConfig' object has no attribute 'num_hidden_layers'$/;
    expect(peer.traps.use_cache_error).toMatch(message);
    expect(peer.traps.generate_error).toMatch(message);
    expect(page).toContain("'BltConfig' object has no attribute 'num_hidden_layers'");
    expect(peer.traps.generated_without_cache).toBe(16);
  });

  it('agree on everything else about the config and the checkpoint', () => {
    expect(peer.traps).toMatchObject({
      // 1.1
      bfloat16_logits: 'torch.float32',
      // 2.1
      frozen: ['patcher'],
      // 2.2
      bfloat16_above_threshold: false,
      float32_above_threshold: true,
      // 3.1
      without_patcher: [],
      saved_buffers: [],
      // 3.2
      tied: true,
      tied_by_default: false,
      overwritten_window: 512,
      overwritten_cross_output: null,
      norm_eps_ignored: 1e-5,
      head_dim_error: expect.stringContaining('must match the size'),
      old_rope: [{ rope_type: 'default', rope_theta: 7 }, 8],
    });
  });
});
