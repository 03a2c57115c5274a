// Checks that a machine's two libraries are suitable for byteify.
const FORMATS = {
  'linux-x64': 'elf64-x86-64',
  'linux-arm64': 'elf64-littleaarch64',
  'darwin-arm64': 'mach-o arm64',
};

/** The search path with which a library finds others in its own folder. */
const OWN_FOLDER = { linux: '$ORIGIN', darwin: '@loader_path' };

/**
 * @param {keyof typeof FORMATS} machine
 * @param {readonly [string, string]} files the names of the framework library and of the library that loads it
 * @param {readonly { symbols: ReadonlySet<string>, format: string, needed: readonly string[], searched: readonly string[] }[]} libraries in the same order
 * @param {readonly string[]} functions of the C API that byteify calls
 * @returns {string[]} the problems as phrases; empty if there are none
 */
export function judge(machine, files, libraries, functions) {
  const [framework, cc] = files;
  const [, loading] = libraries;
  const exported = new Set(libraries.flatMap(({ symbols }) => [...symbols]));
  const ownFolder = OWN_FOLDER[machine.split('-')[0]];
  const wrong = functions.filter((name) => !exported.has(name)).map((name) => `neither library exports ${name}`);
  files.forEach((file, i) => {
    const { format } = libraries[i];
    if (format !== FORMATS[machine]) wrong.push(`${file} is ${format}, not ${FORMATS[machine]}`);
  });
  if (!loading.needed.some((name) => name.replace('@rpath/', '') === framework))
    wrong.push(`${cc} does not load ${framework}`);
  if (!loading.searched.includes(ownFolder)) wrong.push(`${cc} does not search its own folder for libraries`);
  return wrong;
}
