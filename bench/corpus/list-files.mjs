// Lists the files of an unpacked package.
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './refusal.mjs';

/**
 * @param {string} folder
 * @param {string} ending of the names
 * @returns the paths of all files below `folder` with that ending, sorted, links included
 */
export const filesEnding = (folder, ending) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));

/** Files whose text is not the package's own: licences, lists of changes and of people. */
const BOILERPLATE =
  /(^|\/)(copying|copyright|licen[cs]es?|notice|change(s|log)|news|authors|contributors|thanks)\b[^/]*$/i;
/** Pages that list or repeat the text of other pages. */
const REPEATING = /(-big-page|\/print|genindex|py-modindex|\/search|[-/]all|-index)\.html$|\/_modules\//;

/**
 * The regular files of an unpacked package that one entry of its `texts` selects.
 * @param {string} root
 * @param {{ in: string[], endings: string[], except?: RegExp }} selection
 * @returns {string[]} paths relative to `root`
 */
export const selectFiles = (root, { in: folders, endings, except }) =>
  folders.flatMap((name) => {
    const folder = join(root, name);
    if (!existsSync(folder)) throw new Refusal(`a package has no folder ${name}; see bench/corpus/packages.mjs`);
    return endings
      .flatMap((ending) => filesEnding(folder, ending))
      .filter((path) => lstatSync(path).isFile())
      .map((path) => path.slice(root.length + 1))
      .filter((path) => ![BOILERPLATE, REPEATING, except].some((pattern) => pattern?.test(path)));
  });
