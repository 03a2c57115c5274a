// The CUDA libraries that a process has loaded, from its memory map.

/** The libraries that TensorFlow needs to offer a GPU. */
export const NEEDED = [
  'libcuda',
  'libcudart',
  'libcublas',
  'libcublasLt',
  'libcufft',
  'libcusolver',
  'libcusparse',
  'libcudnn',
];
/** Other libraries to report. */
const OTHERS = ['libnvrtc', 'libnvJitLink', 'libcupti', 'libnccl'];

/**
 * @param {string} maps the text of /proc/self/maps
 * @returns {Map<string, string>} name without version → path, in the order of NEEDED and OTHERS
 */
export function loadedLibraries(maps) {
  const paths = new Set(maps.split('\n').flatMap((line) => line.match(/\s(\/.*\.so[.\d]*)$/)?.[1] ?? []));
  const found = new Map();
  for (const name of [...NEEDED, ...OTHERS]) {
    const path = [...paths].find((candidate) => candidate.split('/').at(-1)?.split('.so', 1)[0] === name);
    if (path !== undefined) found.set(name, path);
  }
  return found;
}

/** The needed libraries that are not loaded. @param {ReadonlyMap<string, string>} loaded */
export function missingLibraries(loaded) {
  return NEEDED.filter((name) => !loaded.has(name));
}
