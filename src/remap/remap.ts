/** @module Converts a Llama checkpoint into a BLT checkpoint, tensor by tensor. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, configText, type TensorSpec, toTransformersConfig } from '../blt/index.js';
import { claimOutput, markOutput } from '../conversion/index.js';
import { ByteifyError } from '../errors.js';
import { writeFolderAtomic } from '../fs/index.js';
import type { LlamaSource } from '../llama/index.js';
import { interleavedOrder, reorderRows } from '../llama/index.js';
import {
  type Dtype,
  dtypeBytes,
  elementCount,
  type TensorInfo,
  tensorBytes,
  tensorChunks,
  writeCheckpoint,
} from '../safetensors/index.js';
import { freshChunks } from './fresh.js';
import { DROPPED, type Transform, toBltName, toLlamaName, UNKNOWN_REASON } from './mapping.js';
import { type DroppedRecord, REPORT_FILE, type RemapReport, type TargetRecord } from './report.js';

export type TargetDtype = 'source' | 'float32' | 'bfloat16';

export interface RemapOptions {
  readonly source: LlamaSource;
  readonly config: BltConfig;
  /** The BLT folder to write. It is either complete or absent. */
  readonly out: string;
  /** Whether `out` belongs to the caller, as a stage's folder does: its contents are then replaced without a check. */
  readonly ownsOut?: boolean;
  readonly seed: number;
  /** `source` keeps BF16 and F32 and widens F16 to F32. */
  readonly dtype: TargetDtype;
  readonly onProgress?: (event: { doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** A target tensor and where its values come from. */
interface Target {
  readonly spec: TensorSpec;
  readonly info: TensorInfo;
  readonly from: { readonly info: TensorInfo; readonly transform: Transform } | null;
}

const STORED = { float32: 'F32', bfloat16: 'BF16' } as const;
/** Bytes read and written at a time. */
const CHUNK_BYTES = 32 * 2 ** 20;

function storedAs(source: Dtype, dtype: TargetDtype): 'F32' | 'BF16' {
  if (dtype !== 'source') return STORED[dtype];
  return source === 'BF16' ? 'BF16' : 'F32';
}

/** The type of fresh tensors: that of the source's largest tensor. */
function freshDtype(source: LlamaSource, dtype: TargetDtype): 'F32' | 'BF16' {
  const widest = [...source.reader.tensors.values()].sort((a, b) => tensorBytes(b) - tensorBytes(a))[0];
  return storedAs(widest?.dtype ?? 'F32', dtype);
}

const INCOMPLETE = 'The weights and the config do not match: download the source again.';

function planTargets({ source, config, dtype }: RemapOptions): Target[] {
  const fresh = freshDtype(source, dtype);
  return bltTensors(config).map((spec) => {
    const mapped = toLlamaName(spec.name);
    if (mapped === null) return { spec, info: { name: spec.name, shape: spec.shape, dtype: fresh }, from: null };
    const info = source.reader.tensors.get(mapped.name);
    if (info === undefined) throw new ByteifyError(`The source lacks the tensor ${mapped.name}.`, { hint: INCOMPLETE });
    if (info.shape.join() !== spec.shape.join()) {
      throw new ByteifyError(
        `${mapped.name} has the shape [${info.shape}], but the BLT’s ${spec.name} has the shape [${spec.shape}].`,
        { hint: INCOMPLETE },
      );
    }
    // In GGUF files q and k are interleaved already.
    const transform = source.ropeLayout === 'interleaved' ? 'copy' : mapped.transform;
    return {
      spec,
      info: { name: spec.name, shape: spec.shape, dtype: storedAs(info.dtype, dtype) },
      from: { info, transform },
    };
  });
}

async function* copiedChunks(target: Target, { source, config }: RemapOptions): AsyncGenerator<Uint8Array> {
  const { info, transform } = target.from!;
  const isInterleaved = transform === 'interleave';
  const rowElements = elementCount(info.shape) / info.shape[0]!;
  const headDim = config.global.hiddenSize / config.global.heads;
  const rowBytes = rowElements * dtypeBytes(target.info.dtype);
  const chunks = tensorChunks(source.reader, info, {
    dtype: target.info.dtype as 'F32' | 'BF16',
    chunkBytes: CHUNK_BYTES,
    // Process whole heads, because a permutation stays within its head.
    unitElements: isInterleaved ? rowElements * headDim : 1,
  });
  for await (const bytes of chunks)
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

/** Reports the bytes that pass through, and stops when the signal aborts. */
async function* watched(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  seen: (bytes: number) => void,
  signal?: AbortSignal,
) {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
    seen(chunk.length);
  }
}

/**
 * Writes config.json, the weights and remap-report.json into `out`. It holds one chunk in memory at a time, whatever the model's size.
 * @returns the report that was written
 * @throws ByteifyError when a tensor of the source is missing or has the wrong shape; UsageError when writing `out` would destroy
 * something; the signal's reason. No output is left behind in any of these cases.
 */
export async function remap(options: RemapOptions): Promise<RemapReport> {
  const { config, out, ownsOut = false, seed, onProgress, signal } = options;
  const target = ownsOut ? out : await claimOutput(out, { kind: 'remap', source: options.source.folder });
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
      configText(toTransformersConfig(config, wide ? 'float32' : 'bfloat16')),
    );
    await writeCheckpoint(
      folder,
      targets.map(({ info }) => info),
      ({ name }) => {
        const target = byName.get(name)!;
        const chunks =
          target.from === null
            ? freshChunks(target.spec, seed, target.info.dtype as 'F32' | 'BF16')
            : copiedChunks(target, options);
        return watched(chunks, seen, signal);
      },
    );
    await writeFile(join(folder, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    if (!ownsOut) await markOutput(folder, 'remap');
  });
  return report;
}
