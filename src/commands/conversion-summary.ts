/** @module The results of a conversion, as `--json` prints them. */
import type { Conversion } from '../conversion/index.js';

export interface ConversionSummary {
  readonly source_bits_per_byte: number | null;
  /** The types of the source's quantised weights (`Q4_1`), the most frequent first; null if they were not recorded. */
  readonly source_quantised_types: readonly string[] | null;
  /** Bits per byte of the fine-tuned BLT on the same held-out bytes. */
  readonly bits_per_byte: number | null;
  readonly bytes_per_patch: number | null;
  /** The folder that transformers loads. */
  readonly export: string;
  readonly seconds: Readonly<Record<string, number>>;
}

/** The summary as pairs of a name and a text. */
export function summaryLines(summary: ConversionSummary): [string, string][] {
  const bits = (value: number | null) => (value === null ? 'unknown' : `${value.toFixed(3)} bits per byte`);
  const quantised = summary.source_quantised_types ?? [];
  const weights = quantised.length === 0 ? '' : ` (quantised weights: ${quantised.join(', ')})`;
  return [
    ['source', `${bits(summary.source_bits_per_byte)}${weights}`],
    ['BLT', bits(summary.bits_per_byte)],
    ['bytes per patch', summary.bytes_per_patch?.toFixed(2) ?? 'unknown'],
    ['export', summary.export],
  ];
}

/** Reads the summary from the manifest. A value that was not measured is null. */
export function conversionSummary(conversion: Conversion): ConversionSummary {
  const { stages, quantised_types: quantisedTypes = null } = conversion.manifest();
  const metrics = stages.finetune?.metrics ?? {};
  return {
    source_bits_per_byte: metrics.source_bits_per_byte ?? null,
    source_quantised_types: quantisedTypes,
    bits_per_byte: metrics.validation_bits_per_byte ?? null,
    bytes_per_patch: metrics.validation_bytes_per_patch ?? null,
    export: conversion.path('export'),
    seconds: Object.fromEntries(Object.entries(stages).map(([name, stage]) => [name, stage.seconds])),
  };
}
