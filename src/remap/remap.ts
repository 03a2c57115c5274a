/** @module Pours a Llama into a BLT, tensor by tensor. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, type TensorSpec, toTransformersConfig } from '../blt/index.js';
import { claimOut, markOut } from '../conversion/index.js';
import { ByteifyError } from '../errors.js';
import { writeFolderAtomic } from '../fs/index.js';
import type { LlamaSource } from '../llama/index.js';
import {
  type Dtype,
  dtypeBytes,
  elementCount,
  type TensorInfo,
  tensorBytes,
  tensorPieces,
  writeCheckpoint,
} from '../safetensors/index.js';
import { freshPieces } from './fresh.js';
import { DROPPED, type Transform, toBltName, toLlamaName, UNKNOWN_REASON } from './mapping.js';
import { interleavedOrder, reorderRows } from './permute.js';
import { type DroppedRecord, REPORT_FILE, type RemapReport, type TargetRecord } from './report.js';

export type TargetDtype = 'source' | 'float32' | 'bfloat16';

export interface RemapOptions {
  readonly source: LlamaSource;
  readonly config: BltConfig;
  /** The BLT folder to write; it is whole or absent. */
  readonly out: string;
  /** `out` is the caller's own, as a stage's folder is: what lies there is replaced, whatever it is. */
  readonly ownsOut?: boolean;
  readonly seed: number;
  /** source keeps BF16 and F32 as they are and widens F16 to F32. */
  readonly dtype: TargetDtype;
  readonly onProgress?: (event: { doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** What a target tensor is made of. */
interface Target {
  readonly spec: TensorSpec;
  readonly info: TensorInfo;
  readonly from: { readonly info: TensorInfo; readonly transform: Transform } | null;
}

const STORED = { float32: 'F32', bfloat16: 'BF16' } as const;
/** Bytes read and written at a time. */
const PIECE_BYTES = 32 * 2 ** 20;

function storedAs(source: Dtype, dtype: TargetDtype): 'F32' | 'BF16' {
  if (dtype !== 'source') return STORED[dtype];
  return source === 'BF16' ? 'BF16' : 'F32';
}

/** Fresh tensors are stored as most of the source's bytes are. */
function freshDtype(source: LlamaSource, dtype: TargetDtype): 'F32' | 'BF16' {
  const widest = [...source.reader.tensors.values()].sort((a, b) => tensorBytes(b) - tensorBytes(a))[0];
  return storedAs(widest?.dtype ?? 'F32', dtype);
}

const INCOMPLETE = 'The weights and the config do not belong together: download the source again.';

function planTargets({ source, config, dtype }: RemapOptions): Target[] {
  const fresh = freshDtype(source, dtype);
  return bltTensors(config).map((spec) => {
    const mapped = toLlamaName(spec.name);
    if (mapped === null) return { spec, info: { name: spec.name, shape: spec.shape, dtype: fresh }, from: null };
    const info = source.reader.tensors.get(mapped.name);
    if (info === undefined) throw new ByteifyError(`The source lacks the tensor ${mapped.name}.`, { hint: INCOMPLETE });
    if (info.shape.join() !== spec.shape.join()) {
      throw new ByteifyError(
        `${mapped.name} has the shape [${info.shape}] and the BLT’s ${spec.name} [${spec.shape}].`,
        { hint: INCOMPLETE },
      );
    }
    // GGUF files hold q and k interleaved already.
    const transform = source.ropeLayout === 'interleaved' ? 'copy' : mapped.transform;
    return {
      spec,
      info: { name: spec.name, shape: spec.shape, dtype: storedAs(info.dtype, dtype) },
      from: { info, transform },
    };
  });
}

async function* copiedPieces(target: Target, { source, config }: RemapOptions): AsyncGenerator<Uint8Array> {
  const { info, transform } = target.from!;
  const isInterleaved = transform === 'interleave';
  const rowElements = elementCount(info.shape) / info.shape[0]!;
  const headDim = config.global.hiddenSize / config.global.heads;
  const rowBytes = rowElements * dtypeBytes(target.info.dtype);
  const pieces = tensorPieces(source.reader, info, {
    dtype: target.info.dtype as 'F32' | 'BF16',
    pieceBytes: PIECE_BYTES,
    // Whole heads at a time: a permutation stays inside its head.
    unitElements: isInterleaved ? rowElements * headDim : 1,
  });
  for await (const bytes of pieces)
    yield isInterleaved ? reorderRows(bytes, interleavedOrder(bytes.length / rowBytes, headDim)) : bytes;
}

function record({ spec, info, from }: Target): TargetRecord {
  const { name, shape, dtype } = info;
  if (from === null) return { name, shape, dtype, origin: 'fresh', std: spec.initStd };
  return { name, shape, dtype, origin: from.transform === 'copy' ? 'copied' : 'permuted', from: from.info.name };
}

function droppedOf(source: LlamaSource): DroppedRecord[] {
  return [...source.reader.tensors.values()]
    .filter(({ name }) => toBltName(name) === null)
    .map(({ name, shape, dtype }) => ({ name, shape, dtype, reason: DROPPED[name] ?? UNKNOWN_REASON }));
}

function reportOf(options: RemapOptions, targets: readonly Target[]): RemapReport {
  const [copied, fresh] = [targets.filter(({ from }) => from !== null), targets.filter(({ from }) => from === null)];
  const parameters = (some: readonly Target[]) => some.reduce((sum, { info }) => sum + elementCount(info.shape), 0);
  const bytes = (some: readonly Target[]) => some.reduce((sum, { info }) => sum + tensorBytes(info), 0);
  return {
    seed: options.seed,
    tensors: targets.map(record),
    dropped: droppedOf(options.source),
    copied_bytes: bytes(copied),
    copied_parameters: parameters(copied),
    fresh_parameters: parameters(fresh),
    total_bytes: bytes(targets),
  };
}

/** Counts what passes and stops when asked to. */
async function* watched(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  seen: (bytes: number) => void,
  signal?: AbortSignal,
) {
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
    seen(piece.length);
  }
}

/**
 * Writes config.json, the weights and remap-report.json into `out`. Memory is bounded by one piece whatever the model's size.
 * @throws ByteifyError when a tensor of the source is missing or misshaped; nothing is left then, nor when the signal stops it.
 * UsageError when writing `out` would destroy something.
 */
export async function remap(options: RemapOptions): Promise<RemapReport> {
  const { config, out, ownsOut = false, seed, onProgress, signal } = options;
  const target = ownsOut ? out : await claimOut(out, { kind: 'remap', source: options.source.folder });
  const targets = planTargets(options);
  const report = reportOf(options, targets);
  const byName = new Map(targets.map((target) => [target.info.name, target]));
  let doneBytes = 0;
  const seen = (bytes: number) => {
    doneBytes += bytes;
    onProgress?.({ doneBytes, totalBytes: report.total_bytes });
  };
  await writeFolderAtomic(target, async (folder) => {
    const wide = targets.some(({ info }) => info.dtype === 'F32');
    await writeFile(
      join(folder, 'config.json'),
      `${JSON.stringify(toTransformersConfig(config, wide ? 'float32' : 'bfloat16'), null, 2)}\n`,
    );
    await writeCheckpoint(
      folder,
      targets.map(({ info }) => info),
      ({ name }) => {
        const target = byName.get(name)!;
        const pieces =
          target.from === null
            ? freshPieces(target.spec, seed, target.info.dtype as 'F32' | 'BF16')
            : copiedPieces(target, options);
        return watched(pieces, seen, signal);
      },
    );
    await writeFile(join(folder, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    if (!ownsOut) await markOut(folder, 'remap');
  });
  return report;
}
