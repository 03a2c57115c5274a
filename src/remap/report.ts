/** @module remap-report.json, which records what became of every tensor. */
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from '../fs/index.js';
import { type Dtype, isDtype } from '../safetensors/index.js';

export const REPORT_FILE = 'remap-report.json';

export interface TargetRecord {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Copied and permuted tensors have a `from`, fresh ones a `std` (0 means ones). */
  readonly origin: 'copied' | 'permuted' | 'fresh';
  readonly from?: string;
  readonly std?: number;
}

export interface DroppedRecord {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly reason: string;
}

export interface RemapReport {
  readonly seed: number;
  readonly tensors: readonly TargetRecord[];
  readonly dropped: readonly DroppedRecord[];
  /** Bytes of the copied and permuted tensors as written. */
  readonly copied_bytes: number;
  readonly copied_parameters: number;
  readonly fresh_parameters: number;
  readonly total_bytes: number;
}

const shape = z.array(z.int().nonnegative());
const dtype = z.custom<Dtype>(isDtype, 'is not a tensor type');
const count = z.number().nonnegative();

const reportSchema = z.object({
  seed: z.number(),
  tensors: z.array(
    z.object({
      name: z.string(),
      shape,
      dtype,
      origin: z.enum(['copied', 'permuted', 'fresh']),
      from: z.exactOptional(z.string()),
      std: z.exactOptional(z.number()),
    }),
  ),
  dropped: z.array(z.object({ name: z.string(), shape, dtype, reason: z.string() })),
  copied_bytes: count,
  copied_parameters: count,
  fresh_parameters: count,
  total_bytes: count,
}) satisfies z.ZodType<RemapReport>;

/**
 * Reads the report that a remap wrote to its folder.
 * @throws ByteifyError when it is missing or invalid
 */
export async function readRemapReport(folder: string): Promise<RemapReport> {
  const hint = 'Remap again: --restart-from remap, or another --out.';
  return readJson(join(folder, REPORT_FILE), { schema: reportSchema, what: 'the report of a remap', hint });
}
