/** @module Measures a model on held-out text and on each domain. */
import type { BltConfig } from '../../blt/index.js';
import { allTexts, type DomainTexts } from '../../data/index.js';
import { bltBitsPerByte } from '../../evaluate/index.js';
import type { Params } from '../../model/index.js';

type Metrics = Readonly<Record<string, number>>;

async function metricsOf(
  params: Params,
  config: BltConfig,
  texts: readonly Uint8Array[],
  suffix: string,
): Promise<Metrics> {
  const { bitsPerByte, bytesPerPatch } = await bltBitsPerByte(params, config, texts);
  return {
    [`validation_bits_per_byte${suffix}`]: bitsPerByte,
    [`validation_bytes_per_patch${suffix}`]: bytesPerPatch,
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
  const text = heldOut.filter(({ kind }) => kind === 'text');
  let metrics = await metricsOf(params, config, allTexts(text.length > 0 ? text : heldOut), '');
  if (heldOut.length === 1) return metrics;
  for (const { name, texts } of heldOut)
    metrics = { ...metrics, ...(await metricsOf(params, config, texts, `_${name}`)) };
  return metrics;
}
