/** @module The pinned PJRT plugins, and the libraries that they load. */
import { join } from 'node:path';
import type { PluginDevice } from './device-names.js';
import type { PinnedWheel } from './libraries.js';

interface PinnedPlugin {
  /** The plugin's file, within the folder that all wheels are unpacked to: they find each other there. */
  readonly file: string;
  readonly wheels: readonly PinnedWheel[];
}

const wheel = (
  project: string,
  version: string,
  platform: string,
  [sha256, sizeBytes]: readonly [string, number],
  members: readonly string[] = ['nvidia/'],
): PinnedWheel => ({ project, version, platform, pythonVersion: '311', sha256, sizeBytes, members });

/**
 * The CUDA plugin of JAX with what it loads for this project's programs, 1.6 GB to download: matrix products (cuBLAS), fused attention
 * (cuDNN, which compiles with NVRTC), the assembler (ptxas, libdevice, nvJitLink) and collectives between GPUs (NCCL). Left out of what JAX
 * itself installs: CUPTI, cuFFT, cuSOLVER, cuSPARSE and NVSHMEM.
 */
const CUDA: PinnedPlugin = {
  file: 'jax_plugins/xla_cuda13/xla_cuda_plugin.so',
  wheels: [
    wheel(
      'jax-cuda13-pjrt',
      '0.12.0.1',
      'manylinux_2_27_x86_64',
      ['5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90', 134_922_808],
      ['jax_plugins/'],
    ),
    wheel('nvidia-cublas', '13.10.0.20', 'manylinux1_x86_64', [
      'dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84',
      444_289_903,
    ]),
    wheel('nvidia-cudnn-cu13', '9.28.1.4', 'manylinux_2_27_x86_64', [
      'a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec',
      516_817_937,
    ]),
    wheel('nvidia-cuda-nvcc', '13.5.37', 'manylinux2014_x86_64', [
      'f5c4f7ead5d964fb4af42bbf1e6d3ec3c1e6e9d83b53749f691d387e7fcaa3a7',
      47_028_279,
    ]),
    wheel('nvidia-nvvm', '13.5.37', 'manylinux2010_x86_64', [
      'c41bfa362e407405163f103c2229f0765f8cc2ed7d148b754dc77f228bf7e070',
      75_141_406,
    ]),
    wheel('nvidia-cuda-runtime', '13.5.37', 'manylinux2014_x86_64', [
      'df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d',
      2_504_024,
    ]),
    wheel('nvidia-cuda-nvrtc', '13.5.37', 'manylinux2010_x86_64', [
      '86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc',
      58_185_930,
    ]),
    wheel('nvidia-nvjitlink', '13.5.37', 'manylinux2010_x86_64', [
      '280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb',
      46_642_491,
    ]),
    wheel('nvidia-nccl-cu13', '2.32.3', 'manylinux_2_27_x86_64', [
      '1459723080ac889d73a26edfa3e04383a7928ab31ac8f0ec43b3ea9548b04ff3',
      305_100_071,
    ]),
  ],
};

/** The ROCm plugin of JAX. ROCm itself must be installed on the machine. */
const ROCM: PinnedPlugin = {
  file: 'jax_plugins/xla_rocm7/xla_rocm_plugin.so',
  wheels: [
    wheel(
      'jax-rocm7-pjrt',
      '0.12.0',
      'manylinux_2_27_x86_64',
      ['4551d0714523355f2946ca1958c3f584e95661e467a641d36b726f718a1c7934', 133_415_872],
      ['jax_plugins/'],
    ),
  ],
};

/** A third party's build of XLA's plugin for the CPU, on which tests run what a GPU would run. */
const CPU_XLA: PinnedPlugin = {
  file: 'lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so',
  wheels: [
    wheel(
      'lammps-jax-pjrt-cpu',
      '0.11.2',
      'manylinux_2_27_x86_64',
      ['1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1', 62_711_338],
      ['lammps_jax_pjrt_cpu/'],
    ),
  ],
};

export const PLUGINS: Readonly<Record<PluginDevice, PinnedPlugin>> = { cuda: CUDA, rocm: ROCM, 'cpu-xla': CPU_XLA };

/** The assembler and the library of device functions that deviceless compilation for NVIDIA's GPUs needs beside the plugin. */
export const CUDA_COMPILER_WHEELS: readonly PinnedWheel[] = CUDA.wheels.filter(({ project }) =>
  ['jax-cuda13-pjrt', 'nvidia-cuda-nvcc', 'nvidia-nvvm'].includes(project),
);

/** The plugin's file in a folder that its wheels were unpacked to. */
export const pluginFileIn = (device: PluginDevice, folder: string): string => join(folder, PLUGINS[device].file);
