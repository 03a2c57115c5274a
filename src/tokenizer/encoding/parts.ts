/** @module Reads the parts of a tokenizer.json by tables: each part has a type, fields, and a function that implements it. */
import type { z } from 'zod';
import { type Refuse, refuseUnsupported } from './refusal.js';

/** Reads one part. @throws ByteifyError through `refuse` when a field is missing or invalid. */
export type PartReader<T> = (config: unknown, refuse: Refuse) => T;

/** The reader of a part, which validates its fields. */
export function part<S extends z.ZodType, T>(
  schema: S,
  make: (fields: z.infer<S>, refuse: Refuse) => T,
): PartReader<T> {
  return (config, refuse) => {
    const parsed = schema.safeParse(config);
    if (parsed.success) return make(parsed.data, refuse);
    const { path, message } = parsed.error.issues[0]!;
    return refuse(`its ${(config as { type: string }).type} has an invalid ${path.join('.')}: ${message}`);
  };
}

/**
 * Reads a part by its type.
 * @param what the kind of part, for errors. @throws ByteifyError through `refuse` for a type that the table lacks.
 */
export function readPart<T>(
  table: ReadonlyMap<string, PartReader<T>>,
  what: string,
  config: unknown,
  refuse: Refuse,
): T {
  const type = (config as { type?: unknown } | null)?.type;
  if (typeof type !== 'string') return refuse(`its ${what} has no type`);
  const reader = table.get(type);
  return reader === undefined
    ? refuseUnsupported(refuse, `its ${what} ${type} is not supported`)
    : reader(config, refuse);
}
