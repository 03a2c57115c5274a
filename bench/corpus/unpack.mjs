// Unpacks a package of any registry.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/**
 * The program for each kind of file. Source archives have one folder with all files, which is removed.
 * @type {[RegExp, (file: string, folder: string) => [string, string[]]][]}
 */
const TOOLS = [
  [/\.deb$/, (file, folder) => ['dpkg-deb', ['-x', file, folder]]],
  [/\.(whl|zip)$/, (file, folder) => ['python3', ['-m', 'zipfile', '-e', file, folder]]],
  [/\.(tgz|tar\.\w+)$/, (file, folder) => ['tar', ['-xf', file, '-C', folder, '--strip-components=1']]],
];

/** @param {string} file @param {string} folder */
export function unpack(file, folder) {
  mkdirSync(folder, { recursive: true });
  const [, command] = TOOLS.find(([ending]) => ending.test(file));
  const [program, args] = command(file, folder);
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
