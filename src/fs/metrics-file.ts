/** @module Metrics that a stage left beside its checkpoint, read back when the stage is passed over. */
import { z } from 'zod';
import { readJsonIfThere } from './read-json.js';

const schema = z.record(z.string(), z.number());

/**
 * Numbers by name; the names carry units. Null when there is no such file.
 * @param hint what to do when the file cannot be used
 * @throws ByteifyError naming the file and what is wrong with it
 */
export async function readMetrics(path: string, hint: string): Promise<Readonly<Record<string, number>> | null> {
  return readJsonIfThere(path, { schema, what: 'a list of metrics', hint });
}
