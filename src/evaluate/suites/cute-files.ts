/** @module The official files of CUTE: tab-separated, `input1[ input2[ input3]] label`, one file per task, which its name says. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UsageError } from '../../errors.js';
import { CUTE_TASKS, type CuteProblem, type CuteTask } from './cute-tasks.js';
import { numberedLines } from './numbered-lines.js';

const EXTENSION = '.tsv';

/** Names that the official repository gives a task besides its own. */
const ALIASES: Readonly<Record<string, string>> = { add_char: 'ins_char', add_word: 'ins_word' };

/** The task of a file, for example `spell.tsv` or `spell_rand.tsv`. */
function taskOf(path: string): CuteTask | undefined {
  const name = basename(path, EXTENSION).replace(/_rand$/, '');
  return CUTE_TASKS.find((task) => task.name === (ALIASES[name] ?? name));
}

/** The files that paths name: folders stand for their .tsv files. @throws UsageError for a file without one */
export async function cuteFiles(paths: readonly string[]): Promise<{ path: string; task: CuteTask }[]> {
  const found: { path: string; task: CuteTask }[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((cause: unknown) => {
      throw new UsageError(`There is no ${path}.`, { cause });
    });
    const files = info.isDirectory()
      ? (await readdir(path)).sort().flatMap((name) => (name.endsWith(EXTENSION) ? join(path, name) : []))
      : [path];
    for (const file of files) {
      const task = taskOf(file);
      if (task !== undefined) {
        found.push({ path: file, task });
        continue;
      }
      throw new UsageError(`The name of ${file} is not that of a CUTE task.`, {
        hint: `Tasks are ${CUTE_TASKS.map(({ name }) => name).join(', ')}; their files end with ${EXTENSION}.`,
      });
    }
  }
  if (found.length > 0) return found;
  throw new UsageError(`There is no file of a CUTE task in ${paths.join(', ')}.`);
}

/** @throws UsageError for another header, or a line with another number of columns, naming the line */
export async function* cuteProblems(path: string, { name, columns }: CuteTask): AsyncGenerator<CuteProblem> {
  const header = [...Array.from({ length: columns }, (_, i) => `input${i + 1}`), 'label'].join('\t');
  for await (const { number, line } of numberedLines(path)) {
    if (number === 1) {
      if (line === header) continue;
      throw new UsageError(`The first line of ${path} is not the header of the task ${name}.`, {
        hint: `It must be "${header.replaceAll('\t', '<tab>')}".`,
      });
    }
    const cells = line.split('\t');
    if (cells.length !== columns + 1 || cells.at(-1) === '')
      throw new UsageError(`Line ${number} of ${path} does not have ${columns} inputs and a label.`);
    yield { inputs: cells.slice(0, -1), label: cells.at(-1)! };
  }
}
