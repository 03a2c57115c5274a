/** @module The machines that byteify has libraries for, and advice for the others. Loads nothing. */
import { ByteifyError } from '../../errors.js';

/** Node's names for system and processor; `libc` distinguishes the Linux families. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly libc: 'glibc' | 'musl' | null;
}

/** The machines with pinned libraries, as `platform-arch`. */
export const PINNED_MACHINES = ['linux-x64', 'linux-arm64', 'darwin-arm64'] as const;
export type PinnedMachine = (typeof PINNED_MACHINES)[number];

/** Why there are no pinned libraries for a machine, and what to do instead; one sentence each. */
export interface Advice {
  readonly reason: string;
  readonly hint: string;
}

interface Known {
  /** The common name of such a machine. */
  readonly name: string;
  /** Whether the user's own libraries can be loaded there. */
  readonly ownLibraries: boolean;
}

export type Support = Known &
  ({ readonly pinned: PinnedMachine; readonly advice: null } | { readonly pinned: null; readonly advice: Advice });

const SUPPORTED: Readonly<Record<PinnedMachine, string>> = {
  'linux-x64': 'Linux on x86-64',
  'linux-arm64': 'Linux on arm64',
  'darwin-arm64': 'macOS on Apple silicon',
};

const OWN_LIBRARIES = 'pass --libtensorflow DIR with a build of TensorFlow’s C library for this machine';

/** Machines without pinned libraries; the first match applies. */
const ELSEWHERE: readonly (Known & { readonly matches: (machine: Machine) => boolean; readonly advice: Advice })[] = [
  {
    name: 'Windows',
    matches: ({ platform }) => platform === 'win32',
    ownLibraries: false,
    advice: {
      reason: 'byteify’s engine does not run on Windows itself.',
      hint: 'Install Node and byteify in WSL 2 (`wsl --install`), which counts as Linux.',
    },
  },
  {
    name: 'Linux with musl',
    matches: ({ platform, libc }) => platform === 'linux' && libc === 'musl',
    ownLibraries: false,
    advice: {
      reason: 'TensorFlow’s libraries need glibc, and this Linux has musl, as Alpine does.',
      hint: 'Use a system or container image with glibc, such as node:22-bookworm-slim.',
    },
  },
  {
    name: 'macOS on Intel',
    matches: ({ platform, arch }) => platform === 'darwin' && arch === 'x64',
    ownLibraries: true,
    advice: {
      reason: 'TensorFlow is no longer built for Intel Macs: 2.16 was the last version.',
      hint: `Use another machine, or ${OWN_LIBRARIES}.`,
    },
  },
];

/** The machine that this process runs on. A Linux whose Node reports no glibc has musl. */
export function thisMachine(): Machine {
  const { platform, arch } = process;
  return { platform, arch, libc: platform === 'linux' ? libcOf() : null };
}

function libcOf(): 'glibc' | 'musl' {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
}

/** What byteify supports on a machine. */
export function supportOf(machine: Machine): Support {
  const other = ELSEWHERE.find(({ matches }) => matches(machine));
  if (other !== undefined) {
    const { name, ownLibraries, advice } = other;
    return { name, ownLibraries, advice, pinned: null };
  }
  const key = `${machine.platform}-${machine.arch}`;
  const pinned = PINNED_MACHINES.find((known) => known === key);
  if (pinned !== undefined) return { name: SUPPORTED[pinned], ownLibraries: true, pinned, advice: null };
  const name = `${machine.platform} on ${machine.arch}`;
  const advice = {
    reason: `There are no pinned libraries for ${name}.`,
    hint: `Use ${Object.values(SUPPORTED).join(', ')}, or ${OWN_LIBRARIES}.`,
  };
  return { name, ownLibraries: true, advice, pinned: null };
}

/**
 * The pinned machine that corresponds to this one.
 * @throws ByteifyError with the reason and what to do instead, when nothing is pinned.
 */
export function requirePinned({ pinned, advice }: Support): PinnedMachine {
  if (pinned !== null) return pinned;
  throw new ByteifyError(advice.reason, { hint: advice.hint });
}
