import { expect, it } from 'vitest';
import { loadedLibraries, missingLibraries } from '../../scripts/check-gpu/loaded.mjs';

const MAPS = `55d0c8a00000-55d0c8a01000 r--p 00000000 fd:00 1 /usr/bin/node
7f0000000000-7f0000100000 r-xp 00000000 fd:00 2 /lib/libcuda.so.580.159.04
7f0000100000-7f0000200000 r--p 00000000 fd:00 2 /lib/libcuda.so.580.159.04
7f0000200000-7f0000300000 r-xp 00000000 fd:00 3 /e/nvidia/cuda_runtime/lib/libcudart.so.12
7f0000300000-7f0000400000 r-xp 00000000 fd:00 4 /e/nvidia/cublas/lib/libcublasLt.so.12
7f0000400000-7f0000500000 r-xp 00000000 fd:00 5 /e/nvidia/cublas/lib/libcublas.so.12
7f0000500000-7f0000600000 rw-p 00000000 00:00 0
7f0000600000-7f0000700000 r-xp 00000000 fd:00 6 /e/nvidia/nccl/lib/libnccl.so.2
7f0000700000-7f0000800000 r-xp 00000000 fd:00 7 /e/nvidia/cudnn/lib/libcudnn_ops.so.9
`;

it('finds CUDA libraries in a memory map, each once, and distinguishes names with a common beginning', () => {
  const loaded = loadedLibraries(MAPS);
  expect([...loaded.keys()]).toEqual(['libcuda', 'libcudart', 'libcublas', 'libcublasLt', 'libnccl']);
  expect(loaded.get('libcublas')).toBe('/e/nvidia/cublas/lib/libcublas.so.12');
});

it('names the missing libraries that a GPU needs', () => {
  expect(missingLibraries(loadedLibraries(MAPS))).toEqual(['libcufft', 'libcusolver', 'libcusparse', 'libcudnn']);
});
