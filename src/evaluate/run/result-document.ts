/** @module The document of a suite's results, as `--json` prints it and as it lies in `evaluation/`. */
import { z } from 'zod';
import { toolVersion } from '../../version.js';
import type { DirectSuite, Suite, SuiteOptions } from '../suites/suite.js';
import type { Estimate, SuiteResult } from '../suites/suite-result.js';

const estimateSchema = z.strictObject({
  value: z.number().nullable(),
  /** The interval that contains 95 % of the bootstrap's replicates; null for a single item. */
  low: z.number().nullable(),
  high: z.number().nullable(),
});

const metricSchema = z.strictObject({
  name: z.string(),
  title: z.string(),
  better: z.enum(['lower', 'higher', 'neither']),
  decimals: z.number(),
  percent: z.boolean(),
});

export const resultSchema = z.strictObject({
  format: z.literal(1),
  byteify: z.string(),
  suite: z.string(),
  /** SHA-256 of what was evaluated: the checkpoint's config and weights. */
  model: z.strictObject({ sha256: z.string() }),
  /** Null if no source was measured. */
  source: z.strictObject({ name: z.string(), sha256: z.string(), quantised_types: z.array(z.string()) }).nullable(),
  options: z.strictObject({
    data: z.array(z.string()),
    limit: z.number(),
    max_bytes: z.number(),
    seed: z.number(),
    settings: z.record(z.string(), z.string()),
  }),
  metrics: z.array(metricSchema),
  groups: z.array(
    z.strictObject({
      group: z.string(),
      items: z.number(),
      /** By the metric's name. */
      metrics: z.record(
        z.string(),
        z.strictObject({
          model: estimateSchema,
          source: estimateSchema.nullable(),
          retention: estimateSchema.nullable(),
        }),
      ),
    }),
  ),
  /** Items that count, each once. */
  item_count: z.number(),
  /** SHA-256 of their texts: figures of the same items can be compared. */
  items_sha256: z.string(),
  /** Items that the source's tokens cannot spell, which count for neither. */
  unspelled_count: z.number(),
  /** Text that could not be read, and why: the first of it. */
  refused: z.array(z.strictObject({ path: z.string(), line: z.number().optional(), reason: z.string() })),
  refused_count: z.number(),
  notes: z.array(z.string()),
});

export type ResultDocument = z.infer<typeof resultSchema>;

/** Rounded to nine significant digits, beyond which the order of sums shows. */
const rounded = (value: number | null) => (value === null ? null : Number(value.toPrecision(9)));

const estimateOf = ({ value, low, high }: Estimate) => ({
  value: rounded(value),
  low: rounded(low),
  high: rounded(high),
});

export function resultDocument(
  suite: Suite | DirectSuite,
  options: SuiteOptions,
  { groups, items: itemCount, itemsDigest, unspelled }: SuiteResult,
  about: Pick<ResultDocument, 'model' | 'source' | 'refused' | 'refused_count'>,
): ResultDocument {
  const metrics = groups[0]?.metrics.map(({ metric }) => metric) ?? [];
  const { data, limit, maxBytes, seed, settings } = options;
  return {
    format: 1,
    byteify: toolVersion(),
    suite: suite.name,
    ...about,
    options: { data: [...data], limit, max_bytes: maxBytes, seed, settings },
    metrics: metrics.map(({ name, title, better, decimals, percent }) => ({
      ...{ name, title, better, decimals },
      percent: percent === true,
    })),
    groups: groups.map(({ group, items, metrics: found }) => ({
      group,
      items,
      metrics: Object.fromEntries(
        found.map(({ metric, model, source, retention }) => [
          metric.name,
          {
            model: estimateOf(model),
            source: source && estimateOf(source),
            retention: retention && estimateOf(retention),
          },
        ]),
      ),
    })),
    item_count: itemCount,
    items_sha256: itemsDigest,
    unspelled_count: unspelled,
    notes: [...suite.notes],
  };
}
