/** @module The metrics that a conversion's runs have logged, as series over bytes and operations. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { jsonOrNull, readTextIfThere } from '../fs/index.js';

/** Losses besides cross-entropy: `train_prefix_kl`. */
const LOSS = /^train_(?!bits_per_byte$)(.+)$/;
/** One of several domains: `validation_bits_per_byte_images`. */
const DOMAIN = /^validation_bits_per_byte_(.+)$/;

/** One line of metrics.jsonl. */
const lineSchema = z.looseObject({
  step: z.number(),
  bytes: z.number().optional(),
  flops: z.number().optional(),
  train_bits_per_byte: z.number().optional(),
  validation_bits_per_byte: z.number().optional(),
  source_bits_per_byte: z.number().optional(),
});

export interface RunPoint {
  /** Bytes of text read since the run began. */
  readonly bytes: number;
  readonly flops: number;
  readonly value: number;
}

export interface RunCurves {
  /** `patcher`, `stage 0`, ... */
  readonly name: string;
  readonly training: readonly RunPoint[];
  readonly validation: readonly RunPoint[];
  /** Of each domain, by name, if the data has several. */
  readonly domains: ReadonlyMap<string, readonly RunPoint[]>;
  /** Other losses by name, as they are logged. */
  readonly losses: ReadonlyMap<string, readonly RunPoint[]>;
  /** The source's, on the held-out text; null if it was not measured. */
  readonly source: number | null;
}

/** Points of a training curve that are drawn; more are averaged. */
const MOST_POINTS = 300;

/** Means of consecutive points. */
function thinned(points: readonly RunPoint[]): RunPoint[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(points.length / Math.max(1, size)) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    const mean = part.reduce((sum, { value }) => sum + value, 0) / part.length;
    return { ...part.at(-1)!, value: mean };
  });
}

function addPoint(series: Map<string, RunPoint[]>, name: string | undefined, point: RunPoint): void {
  if (name === undefined) return;
  const points = series.get(name) ?? [];
  points.push(point);
  series.set(name, points);
}

function curvesOf(name: string, text: string): RunCurves {
  const [training, validation]: [RunPoint[], RunPoint[]] = [[], []];
  const [losses, domains] = [new Map<string, RunPoint[]>(), new Map<string, RunPoint[]>()];
  let [bytes, flops] = [0, 0];
  let source: number | null = null;
  for (const line of text.split('\n')) {
    const parsed = lineSchema.safeParse(jsonOrNull(line));
    if (!parsed.success) continue; // the last line of a killed process
    const { data } = parsed;
    bytes += data.bytes ?? 0;
    flops = data.flops ?? flops;
    const point = (value: number) => ({ bytes, flops, value });
    if (data.train_bits_per_byte !== undefined) training.push(point(data.train_bits_per_byte));
    if (data.validation_bits_per_byte !== undefined) validation.push(point(data.validation_bits_per_byte));
    for (const [key, value] of Object.entries(data)) {
      if (typeof value !== 'number') continue;
      addPoint(losses, LOSS.exec(key)?.[1], point(value));
      addPoint(domains, DOMAIN.exec(key)?.[1], point(value));
    }
    source = data.source_bits_per_byte ?? source;
  }
  const thinnedLosses = new Map([...losses].map(([loss, points]) => [loss, thinned(points)]));
  return { name, training: thinned(training), validation, domains, losses: thinnedLosses, source };
}

/** The curves of a conversion's runs that exist, in order: the patcher's, then each stage's. */
export async function trainingCurves(dir: string): Promise<RunCurves[]> {
  const names = await readdir(join(dir, 'run')).catch(() => []);
  const stages = names
    .flatMap((name) => /^stage-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const runs = [
    { name: 'patcher', folder: join(dir, 'patcher', 'run') },
    ...stages.map((stage) => ({ name: `stage ${stage}`, folder: join(dir, 'run', `stage-${stage}`) })),
    { name: stages.length === 0 ? 'training' : `stage ${stages.at(-1)! + 1}`, folder: join(dir, 'run') },
  ];
  const found: RunCurves[] = [];
  for (const { name, folder } of runs) {
    const text = await readTextIfThere(join(folder, 'metrics.jsonl'));
    if (text === null) continue;
    const curves = curvesOf(name, text);
    if (curves.training.length + curves.validation.length + curves.losses.size > 0) found.push(curves);
  }
  return found;
}
