/** @module What to try with a model that was just made: commands to copy. */
import { basename, relative } from 'node:path';
import { renderPairs, shellWord } from '../ui/index.js';

/** How this program is called again: by its name, or, from a checkout that is not installed, as a script of Node. */
export function programName(script: string | undefined, cwd: string): string {
  return script !== undefined && basename(script) === 'cli.js' ? `node ${shellWord(relative(cwd, script))}` : 'byteify';
}

/** @param folder the conversion. @param program what `programName` says. @returns lines for people. */
export function nextSteps(folder: string, program: string): string {
  const dir = shellWord(folder);
  return `Next:\n${renderPairs([
    ['  write text', `${program} generate ${dir} --prompt "The "`],
    ['  try it in a browser', `${program} serve ${dir}`],
    ['  see how text is cut', `echo "Patches follow surprise." | ${program} patch ${dir}`],
    ['  convert your own', `${program} convert org/model --data text/ --out my-blt`],
  ])}`;
}
