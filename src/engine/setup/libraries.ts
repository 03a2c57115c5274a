/** @module The pinned TensorFlow libraries: where they come from and how they are verified. */
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

/** The CPU builds of TensorFlow, by machine. Each unpacks to 0.75 to 0.9 GB. `npm run check:libraries` verifies them all. */
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

/** The wheel that contains the libraries for a machine. */
export const pinnedWheel = (machine: PinnedMachine): PinnedWheel => CPU_WHEELS[machine];
