/** @module Metrics that a stage wrote beside its checkpoint, read back when the stage is skipped. */
import { z } from 'zod';
import { readJsonIfThere } from './read-json.js';

const schema = z.record(z.string(), z.number());

/**
 * Numbers by name; the names include units. Returns null when the file does not exist.
 * @param hint what to do when the file is unusable
 * @throws ByteifyError naming the file and what is wrong with it
 */
export async function readMetrics(path: string, hint: string): Promise<Readonly<Record<string, number>> | null> {
  return readJsonIfThere(path, { schema, what: 'a list of metrics', hint });
}
