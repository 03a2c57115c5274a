/** @module A segmentation report under its names in JSON: snake case, with units. */
import type { SegmentationReport } from './segmentation-report.js';

export function segmentationMetrics(report: SegmentationReport): Record<string, number> {
  const firstBytes =
    report.freshFirstBytesBitsPerByte + report.staleFirstBytesBitsPerByte + report.unreadFirstBytesBitsPerByte;
  return {
    cut_precision: report.cutPrecision,
    cut_recall: report.cutRecall,
    late_cut_fraction: report.lateShare,
    inside_character_cut_fraction: report.insideCharacterShare,
    bytes_per_patch: report.bytesPerPatch,
    source_bytes_per_token: report.bytesPerToken,
    patcher_bits_per_byte: report.patcherBitsPerByte,
    source_marginal_bits_per_byte: report.canonicalBitsPerByte,
    source_in_patches_bits_per_byte: report.inPatchesBitsPerByte,
    fresh_first_byte_bits_per_byte: report.freshFirstBytesBitsPerByte,
    stale_first_byte_bits_per_byte: report.staleFirstBytesBitsPerByte,
    unread_first_byte_bits_per_byte: report.unreadFirstBytesBitsPerByte,
    fresh_first_byte_fraction: report.freshFirstBytesBitsPerByte / firstBytes,
  };
}
