/** @module Measures a model on held-out text and on each domain. */
import type { BltConfig } from '../../blt/index.js';
import type { DomainTexts } from '../../data/index.js';
import { bltBitsPerByte } from '../../evaluate/index.js';
import type { Params } from '../../model/index.js';

type Metrics = Readonly<Record<string, number>>;
type Measured = Awaited<ReturnType<typeof bltBitsPerByte>>;

const named = ({ bitsPerByte, bytesPerPatch }: Omit<Measured, 'byteCount'>, suffix: string): Metrics => ({
  [`validation_bits_per_byte${suffix}`]: bitsPerByte,
  [`validation_bytes_per_patch${suffix}`]: bytesPerPatch,
});

/** What several measurements say of all their texts; one is returned as it is, since a mean of one may differ by rounding. */
function together(parts: readonly Measured[]): Omit<Measured, 'byteCount'> {
  if (parts.length === 1) return parts[0]!;
  const sum = (of: (part: Measured) => number) => parts.reduce((total, part) => total + of(part), 0);
  const bytes = sum(({ byteCount }) => byteCount);
  return {
    bitsPerByte: sum(({ bitsPerByte, byteCount }) => bitsPerByte * byteCount) / bytes,
    bytesPerPatch: bytes / sum(({ byteCount, bytesPerPatch }) => byteCount / bytesPerPatch),
  };
}

/**
 * `validation_bits_per_byte` and `validation_bytes_per_patch` of the domains of text together, which the source’s bits per byte are compared with (of
 * all domains if none is text); of several domains also each one’s, with `_NAME` at the end.
 */
export async function validationMetrics(
  params: Params,
  config: BltConfig,
  heldOut: readonly DomainTexts[],
): Promise<Metrics> {
  const measured: (Measured & Pick<DomainTexts, 'name' | 'kind'>)[] = [];
  for (const { name, kind, texts } of heldOut)
    measured.push({ name, kind, ...(await bltBitsPerByte(params, config, texts)) });
  const [only] = measured;
  if (measured.length === 1) return named(only!, '');
  const text = measured.filter(({ kind }) => kind === 'text');
  return Object.assign(
    named(together(text.length > 0 ? text : measured), ''),
    ...measured.map((domain) => named(domain, `_${domain.name}`)),
  ) as Metrics;
}
