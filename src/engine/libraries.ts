/** @module The pinned TensorFlow libraries: where they come from and how they are verified. */
import { ByteifyError } from '../errors.js';
import type { PinnedMachine } from './machine.js';

/** A wheel on the Python package index, and which parts of it are needed. */
export interface PinnedWheel {
  /** Distribution name, as pip accepts it. */
  readonly project: string;
  readonly version: string;
  /** pip's platform tag. The wheel contains plain C libraries, so the host's own Python version does not matter. */
  readonly platform: string;
  readonly pythonVersion: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Which members to unpack: those whose name begins with one of these. */
  readonly members: readonly string[];
}

export const TENSORFLOW_VERSION = '2.21.0';

/** The framework library is loaded first, because the other one links against it. */
type LibraryFiles = readonly [framework: string, cc: string];

/** The file names of the two libraries on a system. */
export function libraryFilesOn(platform: NodeJS.Platform): LibraryFiles {
  return platform === 'darwin'
    ? ['libtensorflow_framework.2.dylib', 'libtensorflow_cc.2.dylib']
    : ['libtensorflow_framework.so.2', 'libtensorflow_cc.so.2'];
}

/** The two libraries that every engine folder on this machine must contain. */
export const LIBRARY_FILES = libraryFilesOn(process.platform);

const membersOn = (platform: NodeJS.Platform) => libraryFilesOn(platform).map((file) => `tensorflow/${file}`);

/** The CPU builds of the same version, by machine. Each unpacks to 0.75 to 0.9 GB. `npm run check:libraries` verifies them all. */
const CPU_WHEELS: Readonly<Record<PinnedMachine, PinnedWheel>> = {
  'linux-x64': {
    project: 'tensorflow-cpu',
    version: TENSORFLOW_VERSION,
    platform: 'manylinux_2_27_x86_64',
    pythonVersion: '311',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    sizeBytes: 273_829_956,
    members: membersOn('linux'),
  },
  'linux-arm64': {
    project: 'tensorflow',
    version: TENSORFLOW_VERSION,
    platform: 'manylinux_2_27_aarch64',
    pythonVersion: '311',
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    sizeBytes: 281_828_020,
    members: membersOn('linux'),
  },
  'darwin-arm64': {
    project: 'tensorflow',
    version: TENSORFLOW_VERSION,
    platform: 'macosx_12_0_arm64',
    pythonVersion: '311',
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    sizeBytes: 223_405_849,
    members: membersOn('darwin'),
  },
};

/** One NVIDIA library of the GPU build. Its RUNPATH finds `nvidia/<library>/lib` beside the `tensorflow` folder. */
function nvidia(project: string, version: string, platform: string, sha256: string, sizeBytes: number): PinnedWheel {
  return { project, version, platform, pythonVersion: '311', sha256, sizeBytes, members: ['nvidia/'] };
}

/** The CUDA build for Linux on x86-64 and the NVIDIA libraries that `tensorflow[and-cuda]` 2.21.0 names: 3.4 GB to download. */
const GPU_WHEELS: readonly PinnedWheel[] = [
  {
    project: 'tensorflow',
    version: TENSORFLOW_VERSION,
    platform: 'manylinux_2_27_x86_64',
    pythonVersion: '311',
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    sizeBytes: 572_440_367,
    members: membersOn('linux'),
  },
  nvidia(
    'nvidia-cublas-cu12',
    '12.9.3.13',
    'manylinux_2_27_x86_64',
    'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72',
    581_217_458,
  ),
  nvidia(
    'nvidia-cuda-cupti-cu12',
    '12.8.90',
    'manylinux2014_x86_64',
    'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182',
    10_248_621,
  ),
  nvidia(
    'nvidia-cuda-nvcc-cu12',
    '12.9.86',
    'manylinux2010_x86_64',
    '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0',
    40_546_229,
  ),
  nvidia(
    'nvidia-cuda-nvrtc-cu12',
    '12.9.86',
    'manylinux2010_x86_64',
    '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4',
    89_568_129,
  ),
  nvidia(
    'nvidia-cuda-runtime-cu12',
    '12.9.79',
    'manylinux2014_x86_64',
    '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3',
    3_493_179,
  ),
  nvidia(
    'nvidia-cudnn-cu12',
    '9.28.0.42',
    'manylinux_2_27_x86_64',
    '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375',
    716_538_495,
  ),
  nvidia(
    'nvidia-cufft-cu12',
    '11.4.1.4',
    'manylinux2014_x86_64',
    'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28',
    200_877_592,
  ),
  nvidia(
    'nvidia-curand-cu12',
    '10.3.10.19',
    'manylinux_2_27_x86_64',
    '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e',
    68_295_626,
  ),
  nvidia(
    'nvidia-cusolver-cu12',
    '11.7.5.82',
    'manylinux_2_27_x86_64',
    '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88',
    338_117_415,
  ),
  nvidia(
    'nvidia-cusparse-cu12',
    '12.5.10.65',
    'manylinux2014_x86_64',
    '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78',
    366_465_088,
  ),
  nvidia(
    'nvidia-nccl-cu12',
    '2.32.3',
    'manylinux_2_27_x86_64',
    'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c',
    351_526_311,
  ),
  nvidia(
    'nvidia-nvjitlink-cu12',
    '12.9.86',
    'manylinux2010_x86_64',
    'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9',
    39_748_338,
  ),
];

/**
 * The wheels that make up a build for a machine.
 * @throws ByteifyError when there is no such build.
 */
export function pinnedWheels(machine: PinnedMachine, build: 'cpu' | 'gpu'): readonly PinnedWheel[] {
  if (build === 'cpu') return [CPU_WHEELS[machine]];
  if (machine === 'linux-x64') return GPU_WHEELS;
  throw new ByteifyError('TensorFlow’s CUDA build exists only for Linux on x86-64.', {
    hint: 'Leave out --gpu: the build for this machine computes on the CPU.',
  });
}
