/** @module The GPUs that stages are compiled for, by the names in the CUDA plugin's own descriptions. */
export const TARGETS = {
  h100: 'NVIDIA H100 80GB HBM3',
  h200: 'NVIDIA H200 141GB HBM3e',
  a100: 'NVIDIA A100-SXM4-80GB',
  rtx: 'NVIDIA RTX A6000',
} as const;

export type Target = keyof typeof TARGETS;

export const TARGET_NAMES = Object.keys(TARGETS) as readonly Target[];
