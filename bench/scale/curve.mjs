// What a training of bench:scale wrote to metrics.jsonl, by the text that it had read.

/**
 * @param {any[]} lines of steps and of evaluations
 * @returns the evaluations, and the last one as the result
 */
export function curveOf(lines) {
  let bytes = 0;
  const curve = [];
  for (const line of lines) {
    bytes += line.bytes ?? 0;
    if (line.validation_bits_per_byte !== undefined)
      curve.push({ bytes, bits_per_byte: line.validation_bits_per_byte });
  }
  const last = lines.findLast((line) => line.validation_bits_per_byte !== undefined);
  return {
    training_bytes: bytes,
    training_flops: last.flops,
    bits_per_byte: last.validation_bits_per_byte,
    bytes_per_patch: last.validation_bytes_per_patch,
    curve,
  };
}
