/** @module How many rows a step has. */

/** As many rows as come closest to the bytes of a step, at least one. */
export const rowsPerStepOf = ({
  batch_bytes,
  sequence_length,
}: {
  readonly batch_bytes: number;
  readonly sequence_length: number;
}): number => Math.max(1, Math.round(batch_bytes / sequence_length));
